import type { Problem } from '../errors.ts';
import type { CheckInput } from './checks.ts';
import { findResponse, PRECISE_RESPONSES, RESPONSES } from './responses.ts';
import { BASE_VARIANT } from './variants.ts';
import { quote, suggestName } from './wording.ts';

const RESPONSE_NAMES = RESPONSES.map(({ name }) => name);

/** Objectives, precision limits and contexts name what exists and what this spec measures, and the windows fit in the time given. */
export function checkResponses(input: CheckInput): Problem[] {
  return [
    ...checkObjectives(input),
    ...checkConstraints(input),
    ...checkPrecision(input),
    ...checkContexts(input),
    ...checkWindows(input),
    ...checkEnergy(input),
  ];
}

function checkObjectives(input: CheckInput): Problem[] {
  const { spec, positions } = input;
  return spec.objectives.flatMap(({ response, direction }, at) => {
    const path = ['objectives', at, direction];
    if (input.isRefused('objectives', at)) return [];
    const isRepeated = spec.objectives.slice(0, at).some((other) => other.response === response);
    return [
      ...checkIsKnown(response, positions.ofValue(path)),
      ...checkIsMeasured(input, response, positions.ofValue(path), true),
      ...(isRepeated
        ? [
            {
              where: positions.ofValue(path),
              what: `response "${response}" is an objective twice`,
              hint: 'Remove one of the two.',
            },
          ]
        : []),
    ];
  });
}

/** Each response once, and for a loss something to lose against. */
function checkConstraints(input: CheckInput): Problem[] {
  const { spec, positions } = input;
  const { constraints = [] } = spec;
  const limited = new Set(constraints.map(({ response, lossOf }) => lossOf ?? response));
  return [
    ...[...limited].flatMap((response) => {
      const where = positions.ofKey(['constraints', response]);
      return [...checkIsKnown(response, where), ...checkIsMeasured(input, response, where, false)];
    }),
    ...constraints.flatMap(({ lossOf }) => (lossOf === undefined ? [] : checkLoss(input, lossOf))),
  ];
}

function checkLoss({ spec, positions, isRefused }: CheckInput, response: string): Problem[] {
  const where = positions.ofValue(['constraints', response, 'max_loss']);
  const definition = findResponse(response);
  if (definition !== undefined && definition.better === undefined) {
    return [
      {
        where,
        what: `whether more or less of "${response}" is better is not known, so neither is what a loss of it is`,
        hint: 'Give min or max instead.',
      },
    ];
  }
  const variants = spec.factors.variant;
  if (isRefused('factors', 'variant') || variants?.some(({ name }) => name === BASE_VARIANT)) return [];
  return [
    {
      where,
      what: `no configuration of variant ${BASE_VARIANT} is there to lose "${response}" against`,
      hint: `Vary the variant with ${BASE_VARIANT} among its levels, e.g. variant: [${BASE_VARIANT}, int8-static]; or give min or max instead.`,
    },
  ];
}

function checkIsKnown(response: string, where: string): Problem[] {
  if (findResponse(response) !== undefined) return [];
  return [
    {
      where,
      what: `unknown response ${quote(response)}`,
      hint: suggestName(response, RESPONSE_NAMES, 'responses'),
    },
  ];
}

/** An objective or a constraint that stays empty would empty the front. */
function checkIsMeasured(
  { spec, isRefused }: CheckInput,
  response: string,
  where: string,
  isObjective: boolean,
): Problem[] {
  const what = isObjective ? `objective "${response}"` : `constrained response "${response}"`;
  const isBySlo = response === 'goodput_rps' || response === 'accurate_rps' || response === 'capacity_slo_rps';
  if (isBySlo && spec.measure.sloLatencyMs === undefined && !isRefused('measure', 'slo')) {
    return [
      {
        where,
        what: `${what} has no latency to count by`,
        hint: 'Give one, e.g. measure: { slo: { latency_ms: 100 } }.',
      },
    ];
  }
  if (spec.energy.source === 'none' && findResponse(response) !== undefined && /^energy_|power_w$/.test(response)) {
    return [
      {
        where,
        what: `${what} is not measured under energy source "none"`,
        hint: `List ${isObjective ? 'objectives' : 'constraints'} without it, or set energy: { source: auto }.`,
      },
    ];
  }
  return [];
}

/** A limit on what has no interval would never hold, and every trial would go on to the longest measurement. */
function checkPrecision({ spec, positions }: CheckInput): Problem[] {
  return Object.keys(spec.measure.precision)
    .filter((response) => !PRECISE_RESPONSES.includes(response))
    .map((response) => ({
      where: positions.ofKey(['measure', 'precision', response]),
      ...(findResponse(response) === undefined
        ? {
            what: `unknown response ${quote(response)}`,
            hint: suggestName(response, PRECISE_RESPONSES, 'responses with an interval'),
          }
        : {
            what: `response "${response}" has no confidence interval that more windows would narrow`,
            hint: `Name one of: ${PRECISE_RESPONSES.join(', ')}.`,
          }),
    }));
}

function checkContexts({ spec, positions, isRefused }: CheckInput): Problem[] {
  return spec.contexts.flatMap((factor, at) => {
    const where = positions.ofValue(['contexts', at]);
    if (isRefused('contexts', at)) return [];
    if (spec.contexts.indexOf(factor) !== at) {
      return [{ where, what: `context "${factor}" is named twice`, hint: 'Remove one of the two.' }];
    }
    if (Object.hasOwn(spec.factors, factor) || isRefused('factors', factor)) return [];
    return [
      {
        where,
        what: `context "${factor}" is not a varied factor`,
        hint: suggestName(factor, Object.keys(spec.factors), 'varied factors'),
      },
    ];
  });
}

function checkWindows({ spec, positions, isRefused }: CheckInput): Problem[] {
  const { windowS, windows, maxS } = spec.measure;
  if (['window', 'windows', 'max'].some((key) => isRefused('measure', key))) return [];
  const needsS = windowS * windows;
  return needsS <= maxS
    ? []
    : [
        {
          where: positions.ofValue(['measure', windowS > maxS ? 'window' : 'max']),
          what: `${windows} ${windows === 1 ? 'window' : 'windows'} of ${windowS} s take ${needsS} s, longer than "measure.max" (${maxS} s)`,
          hint: 'Raise "max", or lower "window" or "windows".',
        },
      ];
}

function checkEnergy({ spec, positions }: CheckInput): Problem[] {
  const { source, command } = spec.energy;
  if (source === 'command' && command === undefined) {
    return [
      {
        where: positions.ofValue(['energy', 'source']),
        what: 'energy source "command" has no command',
        hint: 'Give one that prints watts, e.g. command: "read-plug --watts".',
      },
    ];
  }
  if (command === undefined || source === 'command') return [];
  return [
    {
      where: positions.ofKey(['energy', 'command']),
      what: `"energy.command" is not used under source "${source}"`,
      hint: 'Set source: command, or remove the command.',
    },
  ];
}
