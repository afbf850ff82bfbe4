import { describe, expect, it, test } from 'vitest';
import {
  type Analysis,
  analyzeTable,
  RESULT_TABLES,
  type ResultTable,
  tableFromRecords,
} from '../../src/analysis/index.ts';
import { RENDERERS, renderFronts, viewResultTable } from '../../src/report/index.ts';
import type { Objective } from '../../src/spec/types.ts';
import type { Cell, Results } from '../../src/store/index.ts';

type Row = Readonly<Record<string, Cell>>;

const objectives: readonly Objective[] = [
  { response: 'latency_p50_ms', direction: 'minimize' },
  { response: 'energy_per_inference_j', direction: 'minimize' },
];

/** Everything a trial can measure, so that a test can leave out what it is about. */
const everything: Row = {
  state: 'done',
  verdict: 'valid',
  latency_p50_ms: 4,
  latency_p95_ms: 8,
  latency_p99_ms: 9,
  latency_p999_ms: 9.9,
  cpu_util: 0.5,
  memory_peak_mb: 100,
  network_rx_mb: 1,
  network_tx_mb: 1,
  energy_gross_j: 10,
  energy_per_inference_j: 0.1,
  energy_source: 'rapl',
  accuracy_top1: 0.98,
};

function row(changes: Row): Row {
  return { ...everything, ...changes };
}

function without(name: string, from: Row): Row {
  return { ...from, [name]: undefined };
}

/** A result folder as it is read back; only what the report looks at. */
function folder(rows: readonly Row[]): Results {
  const model = (name: string, isSynthetic: boolean) => ({
    name,
    variant: 'fp32',
    digest: name,
    isSynthetic,
    params: 1,
    sizeBytes: 1,
  });
  const spec = {
    factors: { model: [{ name: 'mnist-cnn' }, { name: 'squeezenet1.1' }, { name: 'mine', value: 'synthetic.onnx' }] },
    fixed: {},
  };
  const models = [model('mnist-cnn', false), model('squeezenet1.1', true), model('synthetic.onnx', true)];
  return { manifest: { models, spec }, rows } as unknown as Results;
}

function analyze(rows: readonly Row[], factors = ['model', 'batch'], contexts: readonly string[] = []) {
  return analyzeTable(tableFromRecords(rows), { factors, objectives, contexts });
}

function rendered(rows: readonly Row[]): string {
  return renderFronts(analyze(rows), [folder(rows)]);
}

describe('the front on the terminal', () => {
  it('lists the configurations on the front with units, and names what weakens a figure beside it', () => {
    const rows = [
      row({
        model: 'squeezenet1.1',
        batch: 4,
        latency_p50_ms: 12.34567,
        energy_per_inference_j: 0.05,
        energy_source: 'estimate',
      }),
      row({
        model: 'mnist-cnn',
        batch: 1,
        latency_p50_ms: 0.512345,
        energy_per_inference_j: 0.25,
        energy_source: 'estimate',
        verdict: 'overloaded',
      }),
      row({ model: 'mnist-cnn', batch: 4, latency_p50_ms: 20, energy_per_inference_j: 0.3, energy_source: 'estimate' }),
      row({ model: 'mine', batch: 4, latency_p50_ms: 21, energy_per_inference_j: 0.01, energy_source: 'estimate' }),
    ];
    expect(renderFronts(analyze(rows, ['model', 'batch'], ['model']), [folder(rows)])).toBe(
      `Pareto front: 3 of 4 configurations

                                                              energy_per_
                                          latency_p50_ms      inference_j
model                              batch    ms, minimize      J, minimize  verdict
---------------------------------  -----  --------------  ---------------  ----------
mnist-cnn                          1              0.5123  0.25 (estimate)  overloaded
squeezenet1.1 (synthetic weights)  4               12.35  0.05 (estimate)  valid
mine (synthetic weights)           4                  21  0.01 (estimate)  valid

Synthetic weights: squeezenet1.1 and synthetic.onnx. They are true in cost, not in answers.
Not measured here: energy (estimated from CPU time instead). To get it: \`dse doctor\` says what opens each meter on this machine.
The 3 fronts by model are in pareto.csv.
`,
    );
  });

  it('says over how many trials a figure is a mean, and how many of them were overloaded', () => {
    const rows = [
      row({ model: 'mnist-cnn', batch: 1, latency_p50_ms: 4 }),
      row({ model: 'mnist-cnn', batch: 1, latency_p50_ms: 5, verdict: 'overloaded' }),
      row({ model: 'mnist-cnn', batch: 1, latency_p50_ms: 99, verdict: 'invalid' }),
    ];
    const text = rendered(rows);
    expect(text).toContain('overloaded in 1 of 2');
    expect(text).toMatch(/4\.5 +0\.1 +2 +overloaded/);
    expect(text).toContain(
      'Of 3 trials 2 count; 1 is invalid, kept in trials.csv with the reasons and out of every front.',
    );
  });

  it('needs no words where everything was measured and nothing is weak', () => {
    const real = folder([
      row({ model: 'mnist-cnn', batch: 1 }),
      row({ model: 'mnist-cnn', batch: 2, latency_p50_ms: 9 }),
    ]);
    const results = { ...real, manifest: { ...real.manifest, models: real.manifest.models.slice(0, 1) } };
    const text = renderFronts(analyze(results.rows), [results]);
    expect(text.trimEnd().split('\n').at(-1)).toMatch(/^mnist-cnn .* valid$/);
  });

  it('says in one sentence what could not be measured and how to get it', () => {
    const estimate = row({ model: 'mnist-cnn', batch: 1, energy_source: 'estimate' });
    const bare = without('network_rx_mb', without('network_tx_mb', without('latency_p999_ms', estimate)));
    expect(rendered([bare, { ...without('accuracy_top1', bare), batch: 2 }])).toContain(
      'Not measured here: energy (estimated from CPU time instead), network traffic, accuracy in 1 of 2 trials, latency_p999_ms. ' +
        'To get it: `dse doctor` says what opens each meter on this machine; accuracy needs a model with labelled samples, such as mnist-cnn; ' +
        'tail percentiles need longer windows.\n',
    );
  });

  it('says which configurations take no part, and that no trial is left', () => {
    const rows = [1, 2].map((batch) => row({ model: 'mnist-cnn', batch, state: 'failed', verdict: undefined }));
    const text = rendered(rows);
    expect(text).toContain('Pareto front: 0 of 2 configurations');
    expect(text).toContain('2 configurations take no part: every trial failed or is invalid.');
    expect(text).toContain('Of 2 trials 0 count; 2 failed,');
  });

  it('stays readable for a large front and says where the rest is', () => {
    const rows = Array.from({ length: 45 }, (_, n) =>
      row({ model: 'mnist-cnn', batch: n, latency_p50_ms: n + 1, energy_per_inference_j: 1 / (n + 1) }),
    );
    const text = rendered(rows);
    expect(text).toContain('Pareto front: 45 of 45 configurations');
    expect(text).toContain('... and 15 more, all in pareto.csv.');
  });

  it('aligns level names in any script', () => {
    const rows = [
      row({ model: '模型', batch: 1, latency_p50_ms: 1, energy_per_inference_j: 2 }),
      row({ model: 'ab', batch: 1, latency_p50_ms: 2, energy_per_inference_j: 1 }),
    ];
    const lines = rendered(rows).split('\n');
    // Each of the two wide characters takes two cells, so the next column starts two characters earlier.
    expect(lines.find((line) => line.startsWith('模型'))?.indexOf('1')).toBe(
      (lines.find((line) => line.startsWith('ab'))?.indexOf('1') as number) - 2,
    );
  });

  it('of a plain table has no verdicts and no remarks about meters', () => {
    const rows = [1, 2].map((batch) => ({ model: 'a', batch, latency_p50_ms: 4.5, energy_per_inference_j: 0.1 }));
    const text = renderFronts(analyze(rows), []);
    expect(text).not.toContain('verdict');
    expect(text).not.toContain('Not measured');
  });
});

describe('the front in Markdown', () => {
  it('is a table that GitHub draws, names escaped', () => {
    const rows = [row({ model: 'a|b_c', batch: 1 }), row({ model: 'a|b_c', batch: 2, latency_p50_ms: 5 })];
    expect(renderFronts(analyze(rows), [folder(rows)], 'markdown')).toContain(
      [
        '### Pareto front: 1 of 2 configurations',
        '',
        '| model | batch | latency\\_p50\\_ms<br>ms, minimize | energy\\_per\\_inference\\_j<br>J, minimize | verdict |',
        '| --- | --- | ---: | ---: | --- |',
        '| a\\|b\\_c | 1 | 4 | 0.1 | valid |',
      ].join('\n'),
    );
  });
});

describe('the front for a paper', () => {
  const rows = [
    row({ model: 'squeezenet1.1', batch: 1, energy_source: 'estimate' }),
    row({ model: 'mine_&_50%', batch: 2, energy_source: 'estimate', latency_p50_ms: 3 }),
  ];
  const text = renderFronts(analyze(rows), [folder(rows)], 'latex');

  test('escapes what LaTeX would take as its own, and names estimates and synthetic weights', () => {
    expect(text).toContain('mine\\_\\&\\_50\\% & 2 &');
    expect(text).toContain('0.1 (estimate)');
    expect(text).not.toMatch(/[^\\][&%_]50/);
  });

  test('is a table with as many columns as its rows have cells', () => {
    const [, alignment = ''] = /begin\{tabular\}\{([lr]+)\}/.exec(text) ?? [];
    const cells = text.split('\n').filter((line) => line.startsWith('    mine'));
    expect(cells).toHaveLength(1);
    expect(cells[0]?.split(/(?<!\\)&/)).toHaveLength(alignment.length);
    expect(text.startsWith('% Needs \\usepackage{booktabs}.\n\\begin{table}')).toBe(true);
    expect(text.endsWith('\\end{table}\n')).toBe(true);
  });
});

describe('a table of the analysis', () => {
  const factors = ['model', 'batch'];
  const rows = ['mnist-cnn', 'squeezenet1.1'].flatMap((model, heavy) =>
    [1, 2, 3].map((batch) =>
      row({
        model,
        batch,
        latency_p50_ms: batch + 10 * heavy,
        energy_per_inference_j: 1 / batch,
        energy_source: 'estimate',
      }),
    ),
  );
  const analysis = analyze(rows, factors, ['model']);
  const view = viewResultTable(
    'transfer.csv',
    (RESULT_TABLES['transfer.csv'] as (a: Analysis) => ResultTable)(analysis),
    [folder(rows)],
  );

  test('leaves out columns that have no value, and names estimates and synthetic weights in its cells', () => {
    const headers = view.columns.map(({ header }) => header[0]);
    expect(headers).not.toContain('empty_because');
    expect(headers.slice(0, 4)).toEqual(['response', 'context', 'from', 'to']);
    expect(view.rows.map((cells) => cells.slice(0, 4))).toContainEqual([
      'energy_per_inference_j (estimate)',
      'model',
      'mnist-cnn',
      'squeezenet1.1 (synthetic weights)',
    ]);
  });

  test.each(['text', 'markdown', 'latex'] as const)('is written as %s with every row', (format) => {
    const text = RENDERERS[format](view);
    expect(text.split('squeezenet1.1 (synthetic weights)').length - 1).toBeGreaterThanOrEqual(view.rows.length);
    expect(text.endsWith('\n')).toBe(true);
  });
});
