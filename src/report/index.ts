/** From results and their analysis to text for people. Nothing here reads or writes files. */
export { formatDuration, formatNumber } from './numbers.ts';
export { renderFronts, renderFrontsMarkdown } from './render-fronts.ts';
