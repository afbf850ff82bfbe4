import type { Engine } from '../engine/types.ts';
import { KserveError, type ModelMetadata, quote } from '../kserve/index.ts';

/** A model as the server offers it. */
export interface ServedModel {
  readonly name: string;
  readonly version: string;
  readonly engine: Engine;
}

/** The models a server offers, by name and version. */
export class ServedModels {
  readonly #models: readonly ServedModel[];

  constructor(models: readonly ServedModel[]) {
    this.#models = models;
  }

  /**
   * @param version - undefined for the version of the server's choice, the last one loaded
   * @throws KserveError with status 404 where there is no such model or version
   */
  find(name: string, version: string | undefined): ServedModel {
    const versions = this.#models.filter((model) => model.name === name);
    if (versions.length === 0) {
      const known = [...new Set(this.#models.map((model) => quote(model.name)))].join(', ');
      throw new KserveError(404, `there is no model ${quote(name)}; this server has ${known}`);
    }
    const model = version === undefined ? versions.at(-1) : versions.find((one) => one.version === version);
    if (model === undefined) {
      const known = versions.map((one) => quote(one.version)).join(', ');
      throw new KserveError(404, `the model ${quote(name)} has no version ${quote(version)}; it has ${known}`);
    }
    return model;
  }

  metadata(model: ServedModel): ModelMetadata {
    const { engine, name } = model;
    const versions = this.#models.filter((one) => one.name === name).map((one) => one.version);
    const { intraOpThreads, interOpThreads, executionMode, graphOptimization, spinning } = engine.settings;
    return {
      name,
      versions,
      platform: 'onnxruntime_onnx',
      inputs: engine.inputs,
      outputs: engine.outputs,
      parameters: {
        intra_op_threads: intraOpThreads,
        inter_op_threads: interOpThreads,
        execution_mode: executionMode,
        graph_optimization: graphOptimization,
        spinning,
      },
    };
  }
}
