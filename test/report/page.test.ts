import { beforeAll, describe, expect, test } from 'vitest';
import { chartsOf } from '../../src/report/index.ts';
import { type ResultRow, resultRows } from '../../src/report/result-rows.ts';
import { dataOf, makePage, syntheticPart, tablePart } from './make-page.ts';

/** What a reader sees: the text between the tags, scripts and style left out. */
function visibleText(page: string): string {
  return page
    .replaceAll(/<(script|style)[\s\S]*?<\/\1>/g, '')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
    .replaceAll(/\s+/g, ' ');
}

function section(page: string, id: string): string {
  return visibleText(page.split(`<section class="block" id="p1-${id}"`)[1]?.split('</section>')[0] ?? '');
}

describe('a report on one result folder', () => {
  const part = syntheticPart({ energySource: 'estimate' });
  let page = '';
  beforeAll(async () => {
    ({ page } = await makePage([part]));
  });

  test('has its sections in the order in which they are of use', () => {
    const ids = [...page.matchAll(/<section class="block" id="p1-([a-z-]+)"/g)].map(([, id]) => id);
    expect(ids.filter((id) => SECTIONS.includes(id as string))).toEqual(SECTIONS);
  });

  test('answers in two sentences that name the best configuration of every objective', () => {
    const [, answer = ''] = /<p class="answer">([\s\S]*?)<\/p>/.exec(page) ?? [];
    const text = visibleText(answer);
    expect(text.match(/\.(?= [A-Z]|$)/g)).toHaveLength(2);
    for (const response of [
      'the lowest latency_mean_ms',
      'the lowest energy_per_inference_j',
      'the highest throughput_ips',
    ])
      expect(text).toContain(response);
    const front = part.analysis.fronts[0];
    const size = front?.onFront.reduce((sum, mark) => sum + mark, 0);
    expect(text).toContain(`${size} of 48 configurations are worth having`);
    const { used, rows, invalid, failed } = part.analysis.counts;
    expect(text).toContain(`It rests on ${used} of ${rows} trials`);
    const [robust] = resultRows(part, 'fronts.csv') ?? [];
    expect(text).toContain(
      `${robust?.on_robust_front} of 48 configurations are on the front in at least 90 % of 1000 draws`,
    );
    expect(used + invalid + failed).toBe(rows);
  });

  test('calls estimated energy an estimate on every axis, in every heading of a figure and in the text', () => {
    const { charts } = dataOf(page);
    const titles = JSON.stringify(charts).match(/"[^"]*energy_per_inference_j \([^"]*"/g) ?? [];
    expect(titles.length).toBeGreaterThan(3);
    for (const title of titles) expect(title).toContain('(J, estimate)');
    expect(page.match(/energy_per_inference_j \(J\)/)).toBeNull();
    const captions = [...page.matchAll(/<figcaption><b>([^<]*)<\/b>/g)].map(([, title]) => title as string);
    const ofEnergy = captions.filter((title) => title.includes('energy_'));
    expect(ofEnergy.length).toBeGreaterThan(3);
    for (const title of ofEnergy) expect(title).toContain('estimate');
    expect(visibleText(page).match(/\d J(?! \(estimate\))[ ;,.)]/)).toBeNull();
    expect(section(page, 'energy')).toContain('estimate');
  });

  test('says "synthetic weights" wherever such a model is a level', () => {
    const { columns } = dataOf(page);
    const levels = columns.flat().filter((cell) => typeof cell === 'string' && cell.includes('resnet18'));
    expect(levels.length).toBeGreaterThan(50);
    for (const level of levels) expect(level).toContain('resnet18 (synthetic weights)');
    const bare = visibleText(page).match(/.{20}resnet18(?! \(synthetic weights\)).{20}/g) ?? [];
    // The sentences that say so, and the table of models with its own column for it.
    for (const words of bare) expect(words.toLowerCase()).toMatch(/synthetic weights|fp32/);
  });

  test('shows the regret of every transfer, and no colour for none', () => {
    const rows = resultRows(part, 'transfer.csv') ?? [];
    expect(rows).toHaveLength(6);
    const text = section(page, 'transfer');
    for (const { regret } of rows) expect(text).toContain(` ${Number((100 * Number(regret)).toPrecision(4))} % `);
    const { charts } = dataOf(page);
    expect(JSON.stringify(charts['p1-transfer-1'])).toContain('"domain":[0,');
  });

  test('says which cheap metric tells the objectives, from how many points, and nothing where there is too little', () => {
    const rows = resultRows(part, 'predictors.csv', ({ response }) => response === 'latency_mean_ms') ?? [];
    const [all] = rows;
    const text = section(page, 'predictors');
    expect(text).toContain(
      `latency_mean_ms (ms) capacity_rps (requests/s) all ${all?.n} ${Number(all?.spearman).toFixed(2)} (`,
    );
  });

  test('shows how capacity scales, once for all loads, with the laws through what was measured', async () => {
    const three = syntheticPart({ batches: 1, threads: 3 });
    const { page: scaled, report } = await makePage([three]);
    const rows = resultRows(three, 'scaling.csv', ({ response }) => response === 'capacity_rps') ?? [];
    const chart = chartsOf(report).find(({ chart: { id } }) => id === 'scaling-1')?.chart;
    expect(chart?.title).toBe('capacity_rps (requests/s) against threads');
    // Two models at three amounts, of any of three loads.
    expect(chart?.data.points?.amount).toEqual([1, 2, 3, 1, 2, 3]);
    expect(new Set(chart?.data.points?.curve).size).toBe(2);
    const [first] = rows;
    const ofFirst = rows.filter((row) => row.at_model === first?.at_model && row.at_load === first?.at_load);
    expect(section(scaled, 'scaling')).toContain(
      `${labelOf(first)} 1, 2, 3 ${Number(Number(ofFirst.at(-1)?.speedup).toPrecision(4))}`,
    );
    // Three amounts and one fit of three coefficients to six trials: the drawn law passes close to their means.
    const laws = chart?.data.laws ?? {};
    const ends = ofFirst.map(({ amount, mean }) => {
      const at = laws.amount?.findIndex(
        (one, index) => one === amount && laws.law?.[index] !== "Amdahl's" && laws.curve?.[index] === labelOf(first),
      );
      return Number(laws.throughput?.[at as number]) / Number(mean);
    });
    for (const ratio of ends) expect(Math.abs(ratio - 1)).toBeLessThan(0.05);
  });

  test('rings the knee of every load curve that has three loads', () => {
    const rows = resultRows(part, 'load-curves.csv', ({ response }) => response === 'latency_mean_ms') ?? [];
    const knees = rows.filter(({ is_knee }) => is_knee === true);
    expect(knees).toHaveLength(rows.length / 3);
    const text = section(page, 'load-curves');
    for (const { load, throughput } of knees)
      expect(text).toContain(`3 ${load} ${Number(Number(throughput).toPrecision(4))} `);
    const { charts } = dataOf(page);
    expect(charts['p1-curve-1']).toBeDefined();
  });

  test('lists every trial that does not count, with its reason', () => {
    const text = section(page, 'invalid');
    const out = part.results?.rows.filter(({ state, verdict }) => state !== 'done' || verdict === 'invalid') ?? [];
    expect(out.length).toBeGreaterThan(3);
    for (const { trial_id } of out) expect(text).toContain(` ${trial_id} `);
    expect(text.match(/host-busy: other processes used 0.56 CPUs/g)).toHaveLength(
      out.filter(({ state }) => state === 'done').length,
    );
  });

  test('forbids every connection and every script but its own', () => {
    const [, policy = ''] = /Content-Security-Policy" content="([^"]*)"/.exec(page) ?? [];
    expect(policy.replaceAll('&#39;', "'")).toMatch(/^default-src 'none'; script-src ('sha256-[\w+/=]+' ?){3}; /);
    expect(policy).not.toContain('unsafe-eval');
    const elements = page.replaceAll(/(<script[^>]*>)[\s\S]*?<\/script>/g, '$1');
    expect(/<[a-z]+[^>]* src=|<link|@import|url\(/.exec(elements)).toBeNull();
    expect(page.includes('sourceMappingURL')).toBe(false);
  });

  test('prints the data dictionary from the same catalogue as the README', () => {
    expect(section(page, 'dictionary')).toContain(
      'latency_p95_ms ms 95th percentile of latency from the intended send',
    );
  });

  test('gives versions and seeds in the methods', () => {
    const text = section(page, 'methods');
    expect(text).toContain('randomised from seed 42');
    expect(text).toContain('onnxruntime-node 1.30.0');
    expect(text).toContain('10 W idle and 5 W for each busy CPU');
  });
});

function labelOf(row: ResultRow | undefined): string {
  return `${row?.at_model}${row?.at_model === 'resnet18' ? ' (synthetic weights)' : ''}`;
}

const SECTIONS = [
  'asked',
  'answer',
  'front',
  'contexts',
  'effects',
  'interactions',
  'correlations',
  'transfer',
  'predictors',
  'scaling',
  'neighbours',
  'latency',
  'load-curves',
  'energy',
  'timeline',
  'invalid',
  'machine',
  'methods',
  'dictionary',
];

/** A design of 12 configurations, where it does not matter how many there are. */
const few = { batches: 2, threads: 1 };

test('a page of 1,000 trials stays under 5 MB', async () => {
  const { page } = await makePage([syntheticPart({ batches: 7, threads: 3, replicates: 8 })]);
  expect(visibleText(page)).toContain('1008 trials');
  expect(Buffer.byteLength(page)).toBeLessThan(5e6);
}, 120_000);

test('what comes from data cannot end a script or become an element', async () => {
  const nasty = '</script><script>window.hacked=1</script><img src=x onerror=hacked>&"\'<!--';
  const { page } = await makePage([
    syntheticPart({ ...few, models: [nasty, `${nasty}2`], name: nasty, detail: nasty }),
  ]);
  for (const element of ['<script>window.hacked', '<img', '<!--']) expect(page.includes(element)).toBe(false);
  expect(page.match(/<script/g)).toHaveLength(5);
  // Nothing was lost by it: the name is there for a reader.
  expect(visibleText(page)).toContain(nasty);
  expect(JSON.stringify(dataOf(page).columns)).toContain('window.hacked');
});

test('a plain table gets what can be said of it, and for the rest why not', async () => {
  const rows = ['red', 'green', 'blue'].map((colour, index) => ({ colour, cost: index + 1, gain: (index + 1) ** 2 }));
  const { page, report } = await makePage([tablePart(rows)]);
  expect(section(page, 'answer')).toContain('3 of 3 configurations are worth having');
  expect(section(page, 'latency')).toContain('A plain table holds no histograms.');
  expect(section(page, 'timeline')).toContain('A plain table does not say when its rows were measured.');
  expect(section(page, 'contexts')).toContain('No context was named');
  expect(section(page, 'effects')).toContain('No effect could be estimated');
  expect(section(page, 'predictors')).toContain('No multiply-adds, parameters, bare latency or capacity');
  expect(section(page, 'scaling')).toContain('No throughput was measured at two amounts of anything.');
  expect(section(page, 'load-curves')).toContain('No server configuration has latency and throughput at two loads.');
  expect(chartsOf(report).map(({ chart }) => chart.id)).toEqual(['front-1']);
});

describe('several folders side by side', () => {
  test('share a picture of their fronts where their figures may be compared', async () => {
    const { page, report } = await makePage([
      syntheticPart({ ...few, name: 'one' }),
      syntheticPart({ ...few, name: 'two', seed: 2 }),
    ]);
    const [first] = chartsOf(report);
    expect(first).toMatchObject({ key: 'all', chart: { id: 'side-by-side' } });
    expect(first?.chart.title).toBe('Fronts: energy_per_inference_j against latency_mean_ms');
    expect(page.match(/data-part="(all|p1|p2)"/g)).toHaveLength(3);
  });

  test('keep estimates out of a picture with measurements', async () => {
    const { page, report } = await makePage([
      syntheticPart({ ...few, name: 'measured', energySource: 'rapl' }),
      syntheticPart({ ...few, name: 'estimated', energySource: 'estimate' }),
    ]);
    const [first] = chartsOf(report);
    expect(first?.chart.title).toBe('Fronts: throughput_ips against latency_mean_ms');
    expect(visibleText(page)).toContain('J (estimate)');
  });
});
