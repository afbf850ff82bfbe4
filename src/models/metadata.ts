/** Keys of an ONNX file's own metadata by which dse knows a file of its making again. */
export const metadataKeys = {
  /** "true" where the weights were drawn from a seed. */
  syntheticWeights: 'dse.synthetic_weights',
  /** The seed they were drawn from. */
  seed: 'dse.seed',
  /** Length of the sequences its inputs take where nothing else is asked for. */
  sequenceLength: 'dse.sequence_length',
  /** The longest sequence it takes. */
  longestSequence: 'dse.longest_sequence',
  /** What was done to the model since its base file, as JSON: see `variants/lineage.ts`. */
  lineage: 'dse.lineage',
} as const;
