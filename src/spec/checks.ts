import type { Problem } from '../errors.ts';
import { checkBatching, checkMaxLoaded, checkPreferredBatch } from './check-batching.ts';
import { checkCpus } from './check-cpus.ts';
import { checkDesign } from './check-design.ts';
import { checkExclusions } from './check-exclusions.ts';
import { checkFactors } from './check-factors.ts';
import { checkGateway } from './check-gateway.ts';
import { checkImages } from './check-images.ts';
import { checkLoads, checkPopularity } from './check-loads.ts';
import { checkNeighbours } from './check-neighbours.ts';
import { checkPatterns } from './check-patterns.ts';
import { checkResponses } from './check-responses.ts';
import { checkServer } from './check-server.ts';
import type { Positions } from './positions.ts';
import type { WrittenSpec } from './schema.ts';
import type { SchemaOutcome } from './schema-problems.ts';
import type { TraceReader } from './traces.ts';
import type { ExperimentSpec, HostFacts } from './types.ts';

/** What a check looks at. Parts that the schema refused are missing from `spec`, and are not a check's to report again. */
export interface CheckInput {
  readonly spec: ExperimentSpec;
  readonly written: WrittenSpec;
  readonly host: HostFacts;
  readonly positions: Positions;
  readonly isRefused: SchemaOutcome['isRefused'];
  readonly readTrace: TraceReader;
}

/** A rule that takes more than one key, or the machine, to judge. */
export type Check = (input: CheckInput) => readonly Problem[];

export const CHECKS: readonly Check[] = [
  checkDesign,
  checkFactors,
  checkServer,
  checkBatching,
  checkPreferredBatch,
  checkMaxLoaded,
  checkPopularity,
  checkImages,
  checkGateway,
  checkLoads,
  checkPatterns,
  checkCpus,
  checkNeighbours,
  checkExclusions,
  checkResponses,
];
