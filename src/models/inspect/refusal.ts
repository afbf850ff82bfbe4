import '../../no-telemetry.ts';
import { InferenceSession } from 'onnxruntime-node';
import { messageOf } from '../../errors.ts';

/**
 * Why onnxruntime does not load a model, in its words; undefined where it does. Loads it without optimising it, and runs nothing.
 *
 * @param file - absolute path
 */
export async function refusalOf(file: string): Promise<string | undefined> {
  try {
    const session = await InferenceSession.create(file, {
      executionProviders: ['cpu'],
      graphOptimizationLevel: 'disabled',
      intraOpNumThreads: 1,
      logSeverityLevel: 4,
    });
    await session.release();
    return undefined;
  } catch (error) {
    return messageOf(error).trim();
  }
}
