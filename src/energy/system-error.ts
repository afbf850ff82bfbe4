/** The code of an error that the system gave, e.g. "EACCES"; undefined for anything else that was thrown. */
export function systemErrorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
