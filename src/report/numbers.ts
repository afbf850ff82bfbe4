const SIGNIFICANT_DIGITS = 4;

/** A number for people: four significant digits, no exponent between a millionth and a hundred million, e.g. 0.1032, 231.4, 1235496. */
export function formatNumber(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e8) return String(value);
  return String(Number(value.toPrecision(SIGNIFICANT_DIGITS)));
}

/** A duration for people, in the two largest units, e.g. "45 s", "1 min 20 s", "2 h 5 min". */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return joinUnits(`${minutes} min`, whole % 60, 's');
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return joinUnits(`${hours} h`, minutes % 60, 'min');
  return joinUnits(`${Math.floor(hours / 24)} d`, hours % 24, 'h');
}

function joinUnits(first: string, rest: number, unit: string): string {
  return rest === 0 ? first : `${first} ${rest} ${unit}`;
}
