/**
 * Puts tables into a Markdown document, between `<!-- bench NAME -->` and `<!-- /bench -->`, each on a line of its own. In: the document, and
 * tables by name; out: the document with what is between the marks replaced, all else as it was.
 */

export interface Filled {
  readonly document: string;
  /** Names of tables that the document has no marks for. */
  readonly unused: readonly string[];
}

const section = /^<!-- bench (\S+) -->\n[^]*?^<!-- \/bench -->$/gm;

/** Throws when the marks do not come in pairs. Marks whose table is not given keep what is between them. */
export function fillDocument(document: string, tables: ReadonlyMap<string, string>): Filled {
  const begins = document.match(/^<!-- bench \S+ -->$/gm)?.length ?? 0;
  const ends = document.match(/^<!-- \/bench -->$/gm)?.length ?? 0;
  const found = [...document.matchAll(section)].map(([, name]) => name ?? '');
  if (begins !== ends || found.length !== begins)
    throw new Error(`${begins} marks "<!-- bench NAME -->" and ${ends} marks "<!-- /bench -->" do not pair up`);
  const filled = document.replaceAll(section, (whole: string, name: string) => {
    const table = tables.get(name);
    return table === undefined ? whole : `<!-- bench ${name} -->\n\n${table}\n\n<!-- /bench -->`;
  });
  return { document: filled, unused: [...tables.keys()].filter((name) => !found.includes(name)) };
}
