/**
 * One-way layouts with values certified to 15 digits. Source: NIST Statistical Reference Datasets, https://www.itl.nist.gov/div898/strd/anova/anova.html
 *
 * The nine SmLs sets (Simon and Lesage 1989) differ in their constant leading digits and their number of replicates, and are built here by their rule.
 */

export interface AnovaSet {
  readonly name: string;
  /** Values by treatment. */
  readonly treatments: readonly (readonly number[])[];
  readonly betweenSumSq: number;
  readonly withinSumSq: number;
  readonly f: number;
  /** Digits that should agree: doubles hold the sets with a million million in front to about four digits of their spread. */
  readonly digits: number;
}

function simonLesage(name: string, offset: number, replicates: number, certified: readonly number[], digits: number) {
  const tenths = (treatment: number) => (treatment === 0 ? 4 : treatment % 2 === 1 ? 3 : 5);
  // Written and read back, so that each value is the double nearest to its decimal spelling, as in the file.
  const spell = (units: number) => Number(`${offset + 1}.${units}`);
  const treatments = Array.from({ length: 9 }, (_, treatment) => {
    const middle = tenths(treatment);
    return Array.from({ length: replicates }, (_, at) =>
      spell(at === 0 ? middle : at % 2 === 1 ? middle - 1 : middle + 1),
    );
  });
  const [betweenSumSq, withinSumSq, f] = certified as readonly [number, number, number];
  return { name, treatments, betweenSumSq, withinSumSq, f, digits };
}

const SIZES = [
  { replicates: 21, certified: [1.68, 1.8, 21] },
  { replicates: 201, certified: [16.08, 18, 201] },
  { replicates: 2001, certified: [160.08, 180, 2001] },
];
const OFFSETS = [
  { offset: 0, digits: 12 },
  { offset: 1e6 - 1, digits: 8 },
  { offset: 1e12 - 1, digits: 2 },
];

const thousandths = (base: number, text: string) => text.split(' ').map((digits) => Number(`${base}.${digits}`));

export const ANOVA: readonly AnovaSet[] = [
  {
    name: 'SiRstv',
    treatments: [
      thousandths(196, '3052 1240 1890 2569 3403'),
      thousandths(196, '3042 3825 1669 3257 0422'),
      thousandths(196, '1303 2005 2889 0343 1811'),
      [196.2795, 196.1748, 196.1494, 196.1485, 195.9885],
      thousandths(196, '2119 1051 1850 0052 2090'),
    ],
    betweenSumSq: 5.11462616e-2,
    withinSumSq: 2.1663656e-1,
    f: 1.18046237440255,
    digits: 11,
  },
  {
    name: 'AtmWtAg',
    treatments: [
      `81568 81465 81572 81785 81446 81903 81526 81494 81616 81587 81519 81486 81419 81569 81508 81672 81385 81518 81662 81424 81360 81333 81610 81477`,
      `81079 81344 81513 81197 81604 81385 81642 81365 81151 81082 81517 81448 81198 81482 81334 81609 81101 81512 81469 81360 81254 81261 81450 81368`,
    ].map((text) => text.split(' ').map((digits) => Number(`107.86${digits}`))),
    betweenSumSq: 3.638341875e-9,
    withinSumSq: 1.04951729166667e-8,
    f: 15.946733567793,
    digits: 8,
  },
  ...OFFSETS.flatMap(({ offset, digits }, group) =>
    SIZES.map(({ replicates, certified }, size) =>
      simonLesage(`SmLs0${group * 3 + size + 1}`, offset, replicates, certified, digits),
    ),
  ),
];
