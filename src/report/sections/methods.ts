import { findResponse } from '../../spec/index.ts';
import { html } from '../html/escape.ts';
import { countOf, hasEstimates, joinWords } from '../labels.ts';
import { syntheticModels } from '../synthetic.ts';
import type { ReportPart } from '../types.ts';
import { pageTable, type Section, textSection } from './section.ts';

/** How the figures came about, in words fit for a paper, with versions and seeds. */
export function methodsSection(part: ReportPart, dseVersion: string): Section {
  const { results, analysis } = part;
  const confidence = `${Number((analysis.options.confidence * 100).toFixed(3))} %`;
  const analysed = html`<p>A configuration is a combination of the levels of ${joinWords(analysis.configurations.factors)}; its figures are means over its usable replicates. A configuration is on the Pareto front where no other is at least as good in all objectives and better in one (constraints first). Rank correlations across contexts are Spearman's, over configurations matched on all other factors. Effects come from an analysis of variance by least squares with blocks and type III sums of squares, latencies as logarithms, intervals at ${confidence}. Tables and this page were made by dse ${dseVersion}.</p>`;
  if (results === undefined)
    return textSection('methods', 'Methods', html`<p>The rows come from a plain table, ${part.source}.</p>${analysed}`);
  const { manifest } = results;
  const { spec, versions, models } = manifest;
  const { design, measure } = spec;
  const synthetic = syntheticModels([results]);
  const warmup =
    measure.warmupS === 'auto'
      ? `ended when latency was steady (MSER-5 and a test for drift), or after ${measure.maxWarmupS} s`
      : `lasted ${measure.warmupS} s`;
  return textSection(
    'methods',
    'Methods',
    html`<p>Each trial started from a running ${spec.server.engine} server whose limits had been applied and read back. Trials were run in ${countOf(design.replicates, 'block')}, one replicate of every design point in each, in an order randomised from seed ${design.seed}; arrivals and sample inputs derive from the same seed. The warm-up ${warmup}. At least ${countOf(measure.windows, 'window')} of ${measure.windowS} s ${measure.windows === 1 ? 'was' : 'were'} measured; latency counts from the intended send time to the whole reply, and requests given up at ${measure.timeoutMs} ms count as that long. Percentiles are given only where the sample reaches the least size of MLPerf LoadGen's early-stopping rule. Intervals within a trial come from five batches of successive requests with Student's t. Energy source asked for: ${spec.energy.source}${
      hasEstimates(part) &&
      `; energy is an estimate: ${spec.energy.estimate.idleW} W idle and ${spec.energy.estimate.corePowerW} W for each busy CPU`
    }. Trials were called invalid for reasons that this page lists, and took no part.${synthetic.length > 0 && html` <b>Synthetic weights</b>: ${joinWords(synthetic)}; their cost is real, their answers mean nothing.`}</p>
${analysed}
${pageTable(
  [{ header: 'what' }, { header: 'version' }],
  [
    ['dse that measured', `${manifest.dseVersion} (measurement version ${manifest.measurementVersion})`],
    ...Object.entries(versions),
    ['recorded', `${manifest.createdAt} to ${manifest.updatedAt}`],
  ],
  'Versions',
)}
${pageTable(
  [
    { header: 'model' },
    { header: 'variant' },
    { header: 'weights' },
    { header: 'parameters', isNumber: true },
    { header: 'multiply-adds', isNumber: true },
    { header: 'SHA-256' },
  ],
  models.map(({ name, variant, isSynthetic, params, macs, digest }) => [
    name,
    variant,
    isSynthetic ? 'synthetic weights' : 'given',
    params,
    macs,
    html`<code>${digest.slice(0, 16)}</code>`,
  ]),
  'Models',
)}
<p>Objectives: ${analysis.options.objectives.map(({ response, direction }, index) => html`${index > 0 && '; '}<b>${direction} ${response}</b>${findResponse(response) !== undefined && ` (${findResponse(response)?.description})`}`)}.</p>`,
  );
}
