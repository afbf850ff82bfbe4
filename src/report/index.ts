/** From results and their analysis to text for people. Nothing here reads or writes files. */
export { chartsOf, createReport, type Report } from './chapters.ts';
export { drawSvg } from './charts/draw.ts';
export { type ContainerDeployment, describeDeployment } from './deployment.ts';
export { type PageAssets, renderPage } from './html/page.ts';
export { formatDuration, formatNumber } from './numbers.ts';
export { renderComparison } from './render-comparison.ts';
export { renderFronts } from './render-fronts.ts';
export { renderRecommendation } from './render-recommendation.ts';
export { RENDERERS, type TableFormat } from './renderers.ts';
export { viewResultTable } from './result-view.ts';
export type * from './types.ts';
