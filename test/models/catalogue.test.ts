import { expect, test } from 'vitest';
import { isKnownModel, isModelPath, modelNames, nearestModelNames } from '../../src/models/index.ts';

test('the catalogue knows its names, and not what every object inherits', () => {
  expect(modelNames()).toEqual([
    'squeezenet1.0',
    'squeezenet1.1',
    'mobilenetv2',
    'mobilenetv2-0.5',
    'resnet18',
    'resnet34',
    'resnet50',
    'densenet121',
    'resnet20-28',
    'resnet20-32',
    'densenet40-28',
    'densenet40-32',
    'mobilenetv2-28',
    'mobilenetv2-32',
    'bert-tiny',
    'minilm-l6',
    'inceptiontime',
    'lstm',
    'mnist-cnn',
    ...['cnn', 'resnet', 'mobilenet'].flatMap((family) => ['s', 'm', 'l'].map((size) => `mnist-${family}-${size}`)),
    'japanese-vowels',
    'magika',
  ]);
  expect(isKnownModel('resnet18')).toBe(true);
  expect(['resnet', 'toString', '__proto__', ''].map(isKnownModel)).toEqual([false, false, false, false]);
});

test('a path is told from a name by its ending or a slash', () => {
  expect(['mine.onnx', './mine', 'models/a.ONNX', 'C:\\models\\a'].map(isModelPath)).toEqual([true, true, true, true]);
  expect(['squeezenet1.1', 'onnx'].map(isModelPath)).toEqual([false, false]);
});

test('misspelt names find the one that was meant', () => {
  expect(nearestModelNames('SqueezeNet_1.1')).toEqual(['squeezenet1.1', 'squeezenet1.0']);
  expect(nearestModelNames('squeezenet')).toEqual(['squeezenet1.0', 'squeezenet1.1']);
  expect(nearestModelNames('resnet-81')[0]).toBe('resnet18');
  expect(nearestModelNames('mobilnetv2')[0]).toBe('mobilenetv2');
  expect(nearestModelNames('mnist')[0]).toBe('mnist-cnn');
  expect(nearestModelNames('magica')).toEqual(['magika']);
  expect(nearestModelNames('bert')).toEqual(['bert-tiny']);
  expect(nearestModelNames('whisper')).toEqual([]);
});
