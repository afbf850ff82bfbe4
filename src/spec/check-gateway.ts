import type { Problem } from '../errors.ts';
import { levelsOf } from './check-factors.ts';
import type { CheckInput } from './checks.ts';

/** A gateway passes on KServe V2, and no other interface. Its CPU set is given only where it is on at some level. */
export function checkGateway(input: CheckInput): Problem[] {
  const on = levelsOf(input.spec, 'gateway').find(({ level }) => level.value === 'on');
  if (on === undefined) return checkUnusedCpuset(input);
  return checkApi(input, on.path);
}

function checkUnusedCpuset({ spec, positions, isRefused }: CheckInput): Problem[] {
  if (spec.server.gatewayCpuset === undefined) return [];
  if (isRefused('factors', 'gateway') || isRefused('fixed', 'gateway')) return [];
  return [
    {
      where: positions.ofKey(['server', 'gateway_cpuset']),
      what: '"server.gateway_cpuset" has no effect, because "gateway" is on at no level',
      hint: 'Add "gateway", e.g. gateway: [off, on], or leave "server.gateway_cpuset" out.',
    },
  ];
}

function checkApi({ spec, positions }: CheckInput, path: readonly (string | number)[]): Problem[] {
  const { description } = spec.server;
  if (description === undefined || description.api === 'kserve-v2') return [];
  return [
    {
      where: positions.ofValue(path),
      what: `a gateway passes on KServe V2, and the server "${description.name}" speaks ${description.api}`,
      hint: 'Leave "gateway" out.',
    },
  ];
}
