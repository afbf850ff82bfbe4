export { energyBetween } from './energy-between.ts';
export { describeEstimate } from './estimate.ts';
export { faultsBetween } from './fault-log.ts';
export { type IdlePower, measureIdlePower } from './idle-power.ts';
export { openMeter, probeMeters } from './open-meter.ts';
export type { MeterOptions } from './options.ts';
export type * from './types.ts';
