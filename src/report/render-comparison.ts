import type { Change, Comparison } from '../analysis/index.ts';
import { formatNumber } from './numbers.ts';
import { RENDERERS, type TableFormat } from './renderers.ts';
import type { TextColumn } from './text-table.ts';

/** What was compared. */
export interface ComparisonContext {
  readonly base: string;
  readonly next: string;
  readonly factors: readonly string[];
  /** Machines of the base and of the new side; empty for plain tables. */
  readonly hosts: readonly [readonly string[], readonly string[]];
}

const COLUMNS: readonly TextColumn[] = [
  { header: ['response'], align: 'left' },
  { header: ['base'], align: 'right' },
  { header: ['new'], align: 'right' },
  { header: ['change'], align: 'right' },
  { header: ['95 % interval'], align: 'right' },
  { header: ['adjusted p'], align: 'right' },
  { header: ['margin'], align: 'right' },
  { header: ['verdict'], align: 'left' },
];

/** A comparison for people: text for a terminal, Markdown for a pull request or the summary of a job. Ends with a line end. */
export function renderComparison(
  comparison: Comparison,
  context: ComparisonContext,
  format: TableFormat = 'text',
): string {
  return RENDERERS[format]({
    title: headline(comparison),
    columns: COLUMNS,
    rows: comparison.overall.map(cellsOf),
    more: [changedByThemselves(comparison, context)],
    remarks: remarks(comparison, context),
  });
}

function headline({ overall, byConfiguration, matched }: Comparison): string {
  const count = (changes: readonly Change[], verdict: Change['verdict']) =>
    changes.filter((change) => change.verdict === verdict).length;
  const worse = count(overall, 'regression');
  const worseSomewhere = count(byConfiguration, 'regression');
  const over = `over ${matched} ${matched === 1 ? 'configuration' : 'configurations'}`;
  if (worse > 0) return `Regression: ${worse} of ${overall.length} responses got worse ${over}`;
  if (worseSomewhere > 0) return `Regression: worse in single configurations, not ${over}`;
  const unclear = count(overall, 'unclear');
  const rest = unclear > 0 ? `; ${unclear} of ${overall.length} responses cannot be told from noise` : '';
  return `No regression ${over}${rest}`;
}

/** Configurations that changed by themselves beyond noise and margin. */
function changedByThemselves({ byConfiguration }: Comparison, { factors }: ComparisonContext) {
  const changed = byConfiguration.filter(({ verdict }) => verdict === 'regression' || verdict === 'improvement');
  return {
    title: 'By configuration',
    columns: [...factors.map((factor): TextColumn => ({ header: [factor], align: 'left' })), ...COLUMNS],
    rows: changed.map((change) => [...(change.configuration ?? []), ...cellsOf(change)]),
  };
}

function cellsOf({ response, base, next, change, lo, hi, unit, adjustedP, margin, verdict }: Change): string[] {
  const show = (value: number) => {
    if (Number.isNaN(value)) return '-';
    const sign = value > 0 ? '+' : '';
    return unit === 'share' ? `${sign}${(100 * value).toFixed(1)} %` : `${sign}${formatNumber(value)}`;
  };
  return [
    response,
    formatNumber(base),
    formatNumber(next),
    show(change),
    Number.isNaN(lo) ? '-' : `${show(lo)} to ${show(hi)}`,
    Number.isNaN(adjustedP) ? '-' : adjustedP < 0.001 ? '< 0.001' : adjustedP.toPrecision(2),
    unit === 'share' ? `${Number((100 * margin).toPrecision(4))} %` : formatNumber(margin),
    verdict,
  ];
}

function remarks(
  { overall, onlyBase, onlyNext, notes }: Comparison,
  { base, next, hosts }: ComparisonContext,
): string[] {
  const methods = [...new Set(overall.map(({ method }) => method))];
  const lost = (count: number, side: string, other: string) =>
    count === 0
      ? []
      : [
          `${count} ${count === 1 ? 'configuration has' : 'configurations have'} usable trials in ${side} and none in ${other}; not compared.`,
        ];
  const isMoved = hosts[0].length > 0 && hosts[1].length > 0 && hosts[0].join() !== hosts[1].join();
  return [
    `Base ${base}, new ${next}. A regression is worse beyond noise (Holm-adjusted p below 0.05) and by more than the margin; equivalent is surely within it.`,
    ...methods.map((method) => `Noise from: ${method}.`),
    ...(isMoved
      ? [`The machines differ (${hosts[0].join(', ')}; ${hosts[1].join(', ')}): a change may be theirs.`]
      : []),
    ...lost(onlyBase.length, 'the base', 'the new run'),
    ...lost(onlyNext.length, 'the new run', 'the base'),
    ...notes.map((note) => `${note.charAt(0).toUpperCase()}${note.slice(1)}.`),
  ];
}
