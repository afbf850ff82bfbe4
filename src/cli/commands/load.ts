import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf, UsageError } from '../../errors.ts';
import { assignCpus, onlineCpus } from '../../launch/index.ts';
import {
  createLoadDriver,
  type LoadTarget,
  type OfferedLoad,
  RequestLog,
  type RequestSummary,
  summarizeRequests,
} from '../../load/index.ts';
import { formatNumber } from '../../report/index.ts';
import { monotonicNs } from '../../units.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { type InferenceOptions, readInferenceTarget } from '../inference-target.ts';
import { interruptOnSignals } from '../interrupt.ts';
import { readArrivals, readDurationMs, readPositiveNumber, readWholeNumber } from '../option-values.ts';

interface LoadOptions extends InferenceOptions {
  readonly rate?: string;
  readonly arrivals: string;
  readonly concurrency?: string;
  readonly duration: string;
  readonly method?: string;
  readonly body?: string;
  readonly header: readonly string[];
  readonly timeout: string;
  readonly connections: string;
  readonly slo?: string;
  readonly json?: boolean;
}

/** `dse load`: the load generator alone. Ctrl-C ends it early; what was measured by then is shown all the same. */
export async function load(url: string, options: LoadOptions): Promise<ExitCode> {
  const target = await readTarget(url, options);
  const offered = readOfferedLoad(options);
  const durationMs = readDurationMs('--duration', options.duration);
  const timeoutMs = readDurationMs('--timeout', options.timeout);
  const slo = options.slo === undefined ? {} : { sloLatencyMs: readDurationMs('--slo', options.slo) };
  const { generator: cpuset } = assignCpus(onlineCpus(), {});

  using interrupt = interruptOnSignals();
  await using driver = await createLoadDriver(cpuset === undefined ? {} : { cpuset });
  await driver.prepare(target, { timeoutMs });
  const log = new RequestLog();
  const run = await driver.start(offered, log.add);
  const passed = delay(durationMs, undefined, { signal: interrupt.signal }).catch(() => {});
  await Promise.race([passed, run.ended]);
  const endNs = monotonicNs();
  await run.stop();
  const summary = summarizeRequests(log.all(), { startNs: run.startedAtNs, endNs, timeoutMs, ...slo });
  process.stdout.write(options.json ? `${JSON.stringify(columnsOf(summary))}\n` : renderSummary(summary));
  if (interrupt.signal.aborted) return EXIT.interrupted;
  return summary.outcomes.ok === summary.requests ? EXIT.ok : EXIT.failed;
}

async function readTarget(url: string, options: LoadOptions): Promise<LoadTarget> {
  const scheme = URL.canParse(url) ? new URL(url).protocol : undefined;
  const isHttp = scheme === 'http:' || scheme === 'https:';
  if (!isHttp && scheme !== 'grpc:') {
    throw new UsageError({
      where: 'url',
      what: `"${url}" is not an HTTP or gRPC address`,
      hint: 'Give one such as http://127.0.0.1:8080/v2/health/live, or grpc://127.0.0.1:8081 with --model.',
    });
  }
  const { model, protocol, batch, dim, method, body, header } = options;
  if (model !== undefined) {
    refuse(
      { '--method': method, '--body': body, '--header': header[0] },
      'it is for a plain address, and --model makes the requests',
    );
    return await readInferenceTarget(url, model, options);
  }
  refuse({ '--protocol': protocol, '--batch': batch, '--dim': dim[0] }, 'it has no effect without --model');
  if (!isHttp) {
    throw new UsageError({ where: 'url', what: 'nothing says what to ask over gRPC', hint: 'Add --model NAME.' });
  }
  return {
    kind: 'http',
    url,
    method: method ?? 'GET',
    headers: Object.fromEntries(header.map(readHeader)),
    body: body === undefined ? undefined : await readBody(body),
  };
}

/** @throws UsageError for the first option that is given */
function refuse(options: Readonly<Record<string, string | undefined>>, what: string): void {
  const [first] = Object.entries(options).filter(([, value]) => value !== undefined);
  if (first !== undefined)
    throw new UsageError({ where: first[0], what, hint: 'Leave it out, or see dse load --help.' });
}

function readHeader(text: string): [string, string] {
  const colon = text.indexOf(':');
  if (colon < 1) {
    throw new UsageError({ where: '--header', what: `"${text}" is not a header`, hint: "Write it as 'Name: value'." });
  }
  return [text.slice(0, colon).trim(), text.slice(colon + 1).trim()];
}

async function readBody(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new UsageError(
      { where: '--body', what: `the file cannot be read: ${messageOf(error)}`, hint: 'Name an existing file.' },
      error,
    );
  }
}

function readOfferedLoad({ rate, arrivals, concurrency, connections, seed }: LoadOptions): OfferedLoad {
  if ((rate === undefined) === (concurrency === undefined)) {
    throw new UsageError({
      what: rate === undefined ? 'no load is asked for' : 'an open and a closed loop are asked for at once',
      hint: 'Give --rate for an open loop, or --concurrency for a closed one.',
    });
  }
  if (concurrency !== undefined)
    return { kind: 'closed', concurrency: readWholeNumber('--concurrency', concurrency, 1) };
  return {
    kind: 'open',
    rateRps: readPositiveNumber('--rate', rate ?? ''),
    arrivals: readArrivals('--arrivals', arrivals),
    seed: readWholeNumber('--seed', seed, 0),
    connections: readWholeNumber('--connections', connections, 1),
  };
}

/** The columns of `trials.csv` by name. */
function columnsOf({ responses, lowerBounds }: RequestSummary): Readonly<Record<string, number | string>> {
  return lowerBounds.length === 0 ? responses : { ...responses, lower_bounds: lowerBounds.join('; ') };
}

/** The columns by name, then what weakens them. */
function renderSummary({ responses, lowerBounds, notes }: RequestSummary): string {
  const width = Math.max(...Object.keys(responses).map((name) => name.length));
  const lines = Object.entries(responses).map(([name, value]) => {
    const mark = lowerBounds.includes(name) ? '  (at least: requests were given up)' : '';
    return `${name.padEnd(width)}  ${formatNumber(value)}${mark}`;
  });
  return `${[...lines, ...notes.map(({ detail }) => detail)].join('\n')}\n`;
}
