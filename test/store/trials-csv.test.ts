import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { RESPONSES } from '../../src/spec/index.ts';
import { COLUMNS, openStore, readResults, renderCsv } from '../../src/store/index.ts';
import { createTrialsTable } from '../../src/store/trials-table.ts';
import { doneRecord, failedRecord, manifestInput, spec, temporaryFolder } from './examples.ts';

function readTrials(outDir: string): Record<string, string>[] {
  return parse(readFileSync(join(outDir, 'trials.csv')), { columns: true });
}

describe('trials.csv', () => {
  it('has its columns in the promised order, the factors after the reasons', async () => {
    const outDir = temporaryFolder();
    await (await openStore(outDir, manifestInput()))[Symbol.asyncDispose]();
    expect(readFileSync(join(outDir, 'trials.csv'), 'utf8')).toBe(
      'trial_id,point_id,replicate,block,run_order,state,verdict,reasons,model,threads,load,' +
        'offered_rps,achieved_rps,goodput_rps,accurate_rps,throughput_ips,capacity_rps,capacity_slo_rps,capacity_kind,' +
        ['mean', 'p50', 'p90', 'p95', 'p99', 'p999']
          .map((q) => `latency_${q}_ms,latency_${q}_ms_lo,latency_${q}_ms_hi,`)
          .join('') +
        'latency_max_ms,queue_ms,compute_ms,cache_hit_rate,cpu_util,throttled_share,memory_peak_mb,network_rx_mb,network_tx_mb,block_read_mb,block_write_mb,' +
        'energy_gross_j,energy_net_j,energy_per_inference_j,energy_net_per_inference_j,energy_share_estimate_j,energy_share_estimate_per_inference_j,energy_per_request_j,energy_per_correct_j,' +
        'energy_delay_product_js,power_w,idle_power_w,idle_power_w_lo,idle_power_w_hi,energy_source,' +
        'accuracy_top1,accuracy_top5,accuracy_source,bare_latency_ms,bare_throughput_ips,model_size_mb,params,macs,' +
        'others_cpu_util,steal_cpu_util,generator_throttled_share,cpu_frequency_mhz,temperature_c,page_faults,swap_mb,' +
        'littles_law_error,requests,ok_count,timeout_count,error_count,refused_count,reset_count,http_4xx_count,' +
        'http_5xx_count,malformed_count,unanswered_count,send_lag_p50_ms,send_lag_p99_ms,late_share,generator_cpu_util,' +
        'generator_ceiling_rps,neighbour_offered_rps,neighbour_achieved_rps,neighbour_latency_mean_ms,neighbour_cpu_util,gateway_cpu_util,gateway_cpuset,idle_gate_wait_s,warmup_s,window_s,windows,stop_reason,interval_notes,lower_bounds,host,started_at,duration_s,attempt,engine,mechanism\n',
    );
  });

  it('has a unit wherever a column name ends in one, and a description for every column', () => {
    const units: Record<string, string> = {
      ms: 'ms',
      s: 's',
      j: 'J',
      js: 'J*s',
      w: 'W',
      mb: 'MB',
      rps: 'requests/s',
      ips: 'inferences/s',
    };
    for (const { name, unit, description } of COLUMNS) {
      const ending = name
        .replace(/_(lo|hi)$/, '')
        .split('_')
        .at(-1) as string;
      if (ending in units) expect(unit, name).toBe(units[ending]);
      expect(description, name).not.toBe('');
    }
    expect(new Set(COLUMNS.map(({ name }) => name)).size).toBe(COLUMNS.length);
    expect(COLUMNS.map(({ name }) => name)).toEqual(expect.arrayContaining(RESPONSES.map(({ name }) => name)));
  });

  it('keeps a trial that was measured again under another definition, as invalid, so that the two are never averaged', () => {
    const table = createTrialsTable(spec());
    table.add(doneRecord({ trialId: 'old file', reasons: [{ code: 'too-few-samples', detail: 'p99' }] }));
    table.add(doneRecord({ trialId: 'other replicate', replicate: 2 }));
    table.add(doneRecord({ trialId: 'new file' }));
    table.add(failedRecord({ trialId: 'failed' }));
    const verdicts = () => Object.fromEntries(table.rows().map((row) => [row.trial_id, row.verdict]));
    expect(verdicts()).toEqual({ 'old file': 'invalid', 'other replicate': 'valid', 'new file': 'valid' });
    expect(table.rows()[0]?.reasons).toBe(
      'superseded: measured again as new file with another model file, load, measurement, seed or engine; too-few-samples: p99',
    );
    table.add(doneRecord({ trialId: 'old file', attempt: 2 }));
    expect(verdicts()).toEqual({ 'other replicate': 'valid', 'new file': 'invalid', 'old file': 'valid' });
  });

  it('leaves empty what was not measured and never writes 0 for it', async () => {
    const outDir = temporaryFolder();
    {
      await using store = await openStore(outDir, manifestInput());
      await store.append(doneRecord({ responses: { latency_p50_ms: 0.1 + 0.2, error_count: 0 } }));
    }
    const [row] = readTrials(outDir);
    expect(row).toMatchObject({
      latency_p50_ms: '0.30000000000000004',
      error_count: '0',
      energy_gross_j: '',
      accuracy_top1: '',
    });
  });

  it('holds the last attempt of each trial', async () => {
    const outDir = temporaryFolder();
    {
      await using store = await openStore(outDir, manifestInput());
      await store.append(doneRecord({ verdict: 'invalid', reasons: [{ code: 'host-busy', detail: 'a\nbackup ran' }] }));
      await store.append(failedRecord({ trialId: 't2', reason: 'line one\n  line two' }));
      await store.append(doneRecord({ attempt: 2, responses: { latency_p50_ms: 5 } }));
    }
    expect(readTrials(outDir)).toMatchObject([
      {
        trial_id: 't2',
        state: 'failed',
        verdict: '',
        reasons: 'failed in warm-up: line one line two',
        latency_p50_ms: '',
        attempt: '1',
      },
      { trial_id: 't1', state: 'done', verdict: 'valid', reasons: '', latency_p50_ms: '5', attempt: '2' },
    ]);
  });

  it('says why a trial is invalid, each reason with its figure', async () => {
    const outDir = temporaryFolder();
    {
      await using store = await openStore(outDir, manifestInput());
      const reasons = [
        { code: 'generator-late', detail: '1.8 % of requests left over 1 ms late (limit 1 %)' },
        { code: 'throttled', detail: 'clock at 800 MHz' },
      ] as const;
      await store.append(doneRecord({ verdict: 'invalid', reasons }));
    }
    expect(readTrials(outDir)[0]?.reasons).toBe(
      'generator-late: 1.8 % of requests left over 1 ms late (limit 1 %); throttled: clock at 800 MHz',
    );
  });

  it('keeps a column for a factor that a changed spec no longer has, and for a response the dictionary does not know', async () => {
    const outDir = temporaryFolder();
    const { model, threads } = spec().factors;
    {
      await using store = await openStore(outDir, manifestInput());
      await store.append(doneRecord({ responses: { zeta: 1 } }));
    }
    {
      const changed = spec({ factors: { model: model as never }, fixed: { batch: { name: '1', value: 1 } } });
      await using _store = await openStore(outDir, manifestInput({ spec: changed }));
    }
    const { columns, rows } = await readResults(outDir);
    expect(columns.slice(8, 12)).toEqual(['model', 'batch', 'threads', 'load']);
    expect(columns.at(-1)).toBe('zeta');
    expect(rows[0]).toMatchObject({ model: 'a', threads: 1, zeta: 1 });
    expect(threads).toHaveLength(2);
  });

  it('is made anew from the journal when a killed run left it behind', async () => {
    const outDir = temporaryFolder();
    {
      await using store = await openStore(outDir, manifestInput());
      await store.append(doneRecord());
    }
    const expected = readFileSync(join(outDir, 'trials.csv'), 'utf8');
    const { writeFileSync } = await import('node:fs');
    writeFileSync(join(outDir, 'trials.csv'), 'trial_id\nha');
    await using _store = await openStore(outDir, manifestInput());
    expect(readFileSync(join(outDir, 'trials.csv'), 'utf8')).toBe(expected);
  });
});

describe('a CSV table', () => {
  it('quotes what needs it and leaves undefined cells empty', () => {
    expect(
      renderCsv(
        ['a', 'b', 'c'],
        [
          ['x,y', undefined, true],
          ['say "hi"', 1e-7, false],
        ],
      ),
    ).toBe('a,b,c\n"x,y",,true\n"say ""hi""",1e-7,false\n');
  });

  it('without rows has its header', () => {
    expect(renderCsv(['a', 'b'], [])).toBe('a,b\n');
  });
});

it('keeps the same trial of two machines apart, and lets a later attempt on one of them take the place of its earlier one', () => {
  const table = createTrialsTable(spec());
  table.add(doneRecord({ host: 'alder' }));
  table.add(doneRecord({ host: 'birch' }));
  table.add(doneRecord({ host: 'birch', attempt: 2 }));
  expect(table.rows().map(({ host, attempt }) => [host, attempt])).toEqual([
    ['alder', 1],
    ['birch', 2],
  ]);
});
