import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Prediction,
  pairedDifference,
  predict,
  summarizeAccuracy,
} from '../../../src/models/evaluate/accuracy.ts';
import { createRng } from '../../../src/rng.ts';

const right: Prediction = { label: 0, rank: 0, answer: 0, confidence: 0.9 };
const wrong: Prediction = { label: 0, rank: 2, answer: 1, confidence: 0.6 };
const many = (prediction: Prediction, count: number) => Array.from({ length: count }, () => prediction);

describe('a prediction', () => {
  test('is the highest score, the first of equal ones, with its share of the softmax', () => {
    expect(predict([0, Math.log(3), 0], 1)).toEqual({
      label: 1,
      rank: 0,
      answer: 1,
      confidence: expect.closeTo(0.6, 12),
    });
    expect(predict([2, 2, 1], 1)).toMatchObject({ answer: 0, rank: 1 });
    expect(predict([1000, 0], 0).confidence).toBe(1);
  });

  test('of a score that is not a number is never right', () => {
    expect(predict([Number.NaN, 1], 0).rank).toBe(Number.POSITIVE_INFINITY);
    expect(predict([Number.NaN, 1], 1)).toMatchObject({ answer: 1, rank: 0, confidence: 1 });
  });

  test('is right exactly where its answer is the label', () => {
    const scores = fc.array(fc.double({ min: -50, max: 50, noNaN: true }), { minLength: 2, maxLength: 10 });
    fc.assert(
      fc.property(scores, fc.nat(1), (values, label) => {
        const { answer, rank } = predict(values, label);
        expect(rank === 0).toBe(answer === label);
      }),
    );
  });
});

test('accuracy is counted over all and by class, with the interval of a textbook', () => {
  const other: Prediction = { label: 7, rank: 5, answer: 0, confidence: 0.5 };
  const summary = summarizeAccuracy([...many(right, 80), ...many(wrong, 10), ...many(other, 10)]);
  expect(summary).toMatchObject({ samples: 100, top1: 0.8, top5: 0.9 });
  expect(summary.perClass).toEqual([
    { label: 0, samples: 90, top1: 80 / 90 },
    { label: 7, samples: 10, top1: 0 },
  ]);
  // Wilson score interval for 80 of 100.
  expect(summary.top1Interval[0]).toBeCloseTo(0.7112, 4);
  expect(summary.top1Interval[1]).toBeCloseTo(0.8666, 4);
});

test('the calibration error is how far confidence and accuracy lie apart, bin by bin', () => {
  // 80 answers of confidence 0.9, all right, and 20 of 0.6, all wrong: 0.8 * 0.1 + 0.2 * 0.6.
  expect(summarizeAccuracy([...many(right, 80), ...many(wrong, 20)]).calibrationError).toBeCloseTo(0.2, 12);
});

describe('a paired difference', () => {
  test('counts the samples on which the two disagree', () => {
    const base = [...many(right, 95), ...many(wrong, 5)];
    const model = [...many(wrong, 3), ...many(right, 93), ...many(wrong, 4)];
    const { difference, gained, lost, interval } = pairedDifference(model, base);
    expect([gained, lost]).toEqual([1, 3]);
    expect(difference).toBeCloseTo(-0.02, 12);
    // By hand: -2 / 102 -+ 1.96 sqrt(5 - 4 / 102) / 102.
    expect(interval[0]).toBeCloseTo(-0.0624, 4);
    expect(interval[1]).toBeCloseTo(0.0232, 4);
  });

  test('of a model with itself is 0, with an interval about it', () => {
    const base = [...many(right, 9), wrong];
    const { difference, interval } = pairedDifference(base, base);
    expect(difference).toBe(0);
    expect(interval[0]).toBe(-interval[1]);
  });

  test('covers the true difference about 95 times of 100', () => {
    const rng = createRng(11);
    let covered = 0;
    for (let run = 0; run < 400; run++) {
      const pairs = Array.from({ length: 300 }, () => {
        const base = rng.uniform() < 0.95;
        // Of the right ones 2 % are lost, of the wrong ones 20 % gained: a true difference of -0.009.
        return { base, model: base ? rng.uniform() >= 0.02 : rng.uniform() < 0.2 };
      });
      const as = (key: 'base' | 'model') => pairs.map((pair) => (pair[key] ? right : wrong));
      const [low, high] = pairedDifference(as('model'), as('base')).interval;
      if (low <= -0.009 && -0.009 <= high) covered++;
    }
    expect(covered / 400).toBeGreaterThan(0.92);
  });
});

test('scores that are probabilities already are taken as they are, and others through a softmax', () => {
  expect(predict([0.1, 0.7, 0.2], 1).confidence).toBe(0.7);
  expect(predict([0, Math.log(3)], 1).confidence).toBeCloseTo(0.75, 12);
  expect(predict([0.5, 0.5, 0.5], 0).confidence).toBeCloseTo(1 / 3, 12);
});
