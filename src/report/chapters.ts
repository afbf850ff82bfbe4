import type { Chart } from './charts/chart.ts';
import type { Section } from './sections/section.ts';
import { reportSections } from './sections/sections.ts';
import { sideBySideSection } from './sections/side-by-side.ts';
import type { ReportPart } from './types.ts';

/** One result folder on the page. */
export interface Chapter {
  /** `p1`, `p2`, ...: makes names on the page unique. */
  readonly key: string;
  readonly part: ReportPart;
  readonly sections: readonly Section[];
}

/** A report before it is written down. */
export interface Report {
  /** Where there are several folders: what can be said of all of them. */
  readonly overview: readonly Section[];
  readonly chapters: readonly Chapter[];
}

/** Key of what stands above all chapters. */
export const OVERVIEW = 'all';

/** @param parts - one for each result folder; more than one are first shown side by side */
export function createReport(parts: readonly ReportPart[], dseVersion: string): Report {
  return {
    overview: parts.length > 1 ? [sideBySideSection(parts)] : [],
    chapters: parts.map((part, index) => ({
      key: `p${index + 1}`,
      part,
      sections: reportSections(part, dseVersion),
    })),
  };
}

/** Every picture with the key of its chapter. */
export function chartsOf({ overview, chapters }: Report): { readonly key: string; readonly chart: Chart }[] {
  return [{ key: OVERVIEW, sections: overview }, ...chapters].flatMap(({ key, sections }) =>
    sections.flatMap(({ charts }) => charts.map((chart) => ({ key, chart }))),
  );
}
