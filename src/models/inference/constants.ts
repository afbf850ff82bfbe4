import type { TensorProto } from '../onnx-schema.ts';
import { knownIntegers } from '../tensors.ts';
import { type Inferred, intAttribute, intsAttribute, type Operator } from './operator.ts';

/** What is known of a tensor that stands in the file. */
export function constantValue(tensor: TensorProto): Inferred {
  return { shape: tensor.dims.map(Number), values: knownIntegers(tensor) };
}

/** A `Constant` node holds a tensor, or one number, list or text written as an attribute. */
export function inferConstant({ node }: Operator): Inferred[] | undefined {
  const [attribute] = node.attribute;
  switch (attribute?.name) {
    case 'value':
      return attribute.t && [constantValue(attribute.t)];
    case 'value_int':
      return [{ shape: [], values: [intAttribute(node, 'value_int', 0)] }];
    case 'value_ints': {
      const values = intsAttribute(node, 'value_ints') ?? [];
      return [{ shape: [values.length], values }];
    }
    case 'value_float':
      return [{ shape: [] }];
    case 'value_floats':
      return [{ shape: [attribute.floats.length] }];
    default:
      return undefined;
  }
}
