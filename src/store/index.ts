export { COLUMNS, type ColumnDefinition } from './columns.ts';
export { renderCsv } from './csv.ts';
export { histogramPath, secondsPath } from './files.ts';
export { acquireLock, isLockDead, type LockOwner, removeDeadLock } from './lock.ts';
export { openStore } from './open-store.ts';
export { readResults } from './read-results.ts';
export { REASONS, type ReasonDefinition } from './reasons.ts';
export { trialKey } from './trial-key.ts';
export * from './types.ts';
