export { createArrivalProcess } from './arrivals/arrival-process.ts';
export { createRateFunction } from './arrivals/rate-functions.ts';
export type { ArrivalProcess, RateFunction } from './arrivals/types.ts';
export { type CeilingOptions, type CeilingStep, type GeneratorCeiling, measureGeneratorCeiling } from './ceiling.ts';
export { createLoadDriver, type LoadDriverOptions } from './driver.ts';
export { imagesFor } from './generator/image-target.ts';
export {
  createLatencyHistogram,
  decodeHistogram,
  encodeHistogram,
  type HistogramWindow,
  readLatenciesMs,
  readPercentileMs,
  recordLatencies,
  recordSendLags,
} from './histogram.ts';
export { inferOnceOverGrpc } from './infer-once.ts';
export { latenciesMsInOrder } from './latencies.ts';
export { fetchModelMetadata } from './model-metadata.ts';
export { concatRecords } from './records.ts';
export { RequestLog } from './request-log.ts';
export { type SecondSummary, summarizeSeconds } from './seconds.ts';
export { type RequestSummary, type SummaryOptions, summarizeRequests } from './summary.ts';
export type * from './types.ts';
export { OUTCOME } from './types.ts';
