export { createArrivalProcess } from './arrivals/arrival-process.ts';
export { createRateFunction } from './arrivals/rate-functions.ts';
export type { ArrivalProcess, RateFunction } from './arrivals/types.ts';
export { createLoadDriver, type LoadDriverOptions } from './driver.ts';
export { concatRecords } from './records.ts';
export type * from './types.ts';
export { OUTCOME } from './types.ts';
