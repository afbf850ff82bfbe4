/** Univariate data sets with values certified to 15 digits. Source: NIST Statistical Reference Datasets, https://www.itl.nist.gov/div898/strd/univ/homepage.html */

const alternating = (first: number, low: number, high: number) => [
  first,
  ...Array.from({ length: 1000 }, (_, index) => (index % 2 === 0 ? low : high)),
];

const mavro = `180 170 180 190 180 170 150 140 150 150 170 180 180 190 190 210 200 160 140 130 130 150 150 160 150 140 130 140
150 140 150 160 150 160 190 200 200 210 220 230 240 250 270 260 260 260 270 260 250 240`;

const michelson = `85 74 90 107 93 85 95 98 98 88 100 98 93 65 76 81 100 100 96 96 96 94 96 94 88 80 85 88 90 84 83 79 81 88 88 83 80 79 76
80 88 88 88 86 72 72 62 86 97 95 88 91 85 87 84 84 85 84 84 84 89 81 81 82 80 77 76 74 75 76 91 92 89 86 88 72 84 85 85 78 89 84 78 81 76
81 79 81 82 85 87 87 81 74 81 94 95 80 81 87`;

const decimals = (text: string, toNumber: (digits: string) => number) => text.split(/\s+/).map(toNumber);

export const UNIVARIATE = [
  {
    name: 'Mavro',
    values: decimals(mavro, (digits) => Number(`2.00${digits}`)),
    mean: 2.001856,
    sd: 0.000429123454003053,
  },
  {
    name: 'Michelso',
    values: decimals(michelson, (digits) => Number((299 + Number(digits) / 100).toFixed(2))),
    mean: 299.8524,
    sd: 0.0790105478190518,
  },
  { name: 'NumAcc1', values: [10000001, 10000003, 10000002], mean: 10000002, sd: 1 },
  { name: 'NumAcc2', values: alternating(1.2, 1.1, 1.3), mean: 1.2, sd: 0.1 },
  { name: 'NumAcc3', values: alternating(1000000.2, 1000000.1, 1000000.3), mean: 1000000.2, sd: 0.1 },
  { name: 'NumAcc4', values: alternating(10000000.2, 10000000.1, 10000000.3), mean: 10000000.2, sd: 0.1 },
] as const;
