import { choosePoints } from '../points.ts';
import type { ReportPart } from '../types.ts';
import { answerSection } from './answer.ts';
import { askedSection } from './asked.ts';
import { contextsSection } from './contexts.ts';
import { correlationsSection } from './correlations.ts';
import { dictionarySection } from './dictionary.ts';
import { effectsSection } from './effects.ts';
import { energySection } from './energy.ts';
import { frontSection } from './front.ts';
import { interactionsSection } from './interactions.ts';
import { invalidSection } from './invalid.ts';
import { latencySection } from './latency.ts';
import { loadCurvesSection } from './load-curves.ts';
import { machineSection } from './machine.ts';
import { methodsSection } from './methods.ts';
import { neighboursSection } from './neighbours.ts';
import { predictorsSection } from './predictors.ts';
import { scalingSection } from './scaling.ts';
import type { Section } from './section.ts';
import { timelineSection } from './timeline.ts';
import { transferSection } from './transfer.ts';

/** The sections of one result folder, in the order in which they are of use. */
export function reportSections(part: ReportPart, dseVersion: string): Section[] {
  const points = choosePoints(part);
  return [
    askedSection(part),
    answerSection(part),
    frontSection(part, points),
    contextsSection(part, points),
    effectsSection(part),
    interactionsSection(part),
    correlationsSection(part),
    transferSection(part),
    predictorsSection(part),
    scalingSection(part),
    neighboursSection(part),
    latencySection(part),
    loadCurvesSection(part),
    energySection(part, points),
    timelineSection(part),
    invalidSection(part),
    machineSection(part),
    methodsSection(part, dseVersion),
    dictionarySection(),
  ];
}
