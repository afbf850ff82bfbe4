import type { PlannedConfiguration, PlannedTrial } from '../design/index.ts';
import type { TrialRecord } from '../store/index.ts';
import { ConfigurationFailure, type RunningConfiguration, startConfiguration } from './configuration.ts';
import type { RunContext } from './context.ts';
import { identify } from './identity.ts';
import { labelOf } from './labels.ts';
import { numericResponses } from './measurement.ts';
import { failedIn, runTrial, startClock } from './trial.ts';

/** Trials this run has recorded so far, by how they ended; `invalid` ones are among the `done`. */
export interface TrialCounts {
  readonly done: number;
  readonly failed: number;
  readonly invalid: number;
}

type MutableCounts = { -readonly [Key in keyof TrialCounts]: TrialCounts[Key] };

/**
 * Runs the trials of one server configuration that are not in the store yet, on one launch.
 *
 * A server that dies, alone or with a neighbour, is launched again for the next trial. Where it cannot be brought up, each of the trials left is recorded as failed with that reason.
 * An invalid trial is tried again up to `measure.retries` times; every attempt is recorded.
 * @throws the signal's reason where the user ended the run
 */
export async function runConfiguration(
  planned: PlannedConfiguration,
  context: RunContext,
  counts: MutableCounts,
): Promise<void> {
  const { spec, store, design, emit } = context;
  let configuration: RunningConfiguration | undefined;
  try {
    for (const trial of planned.trials) {
      if (store.finishedTrialIds().has(identify(trial, context).trialId)) continue;
      let record: TrialRecord;
      let retriesLeft = spec.measure.retries;
      do {
        context.signal.throwIfAborted();
        if (configuration?.isBroken()) {
          await configuration[Symbol.asyncDispose]();
          configuration = undefined;
        }
        record = await runOrFail(trial);
        await store.append(record);
        count(record, counts);
        emit({ type: 'trial-finished', label: labelOf(trial.levels, spec, { withLoad: true }), record });
      } while (record.state === 'done' && record.verdict === 'invalid' && retriesLeft-- > 0);
      design.tell({ trial, responses: numericResponses(record) });
    }
  } finally {
    await configuration?.[Symbol.asyncDispose]();
  }

  async function runOrFail(trial: PlannedTrial): Promise<TrialRecord> {
    const identity = identify(trial, context);
    const clock = startClock();
    try {
      configuration ??= await startConfiguration(planned, context);
    } catch (error) {
      if (!(error instanceof ConfigurationFailure)) throw error;
      return { ...identity, ...clock.read(), ...failedIn(error.phase, error, error.exit) };
    }
    emit({
      type: 'trial-started',
      trialId: identity.trialId,
      runOrder: trial.runOrder,
      label: labelOf(trial.levels, spec, { withLoad: true }),
    });
    return runTrial(trial, identity, configuration, context);
  }
}

function count(record: TrialRecord, counts: MutableCounts): void {
  if (record.state === 'failed') counts.failed++;
  else counts.done++;
  if (record.state === 'done' && record.verdict === 'invalid') counts.invalid++;
}
