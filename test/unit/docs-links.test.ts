/** Links between the pages of documentation: each leads somewhere, and each page can be found from README.md. */

import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';

const root = join(import.meta.dirname, '../..');
const pages = globSync(['*.md', '{docs,deploy,compose,envoy-configs,bench,test,.github}/**/*.md'], { cwd: root })
  .filter((page) => !page.includes('node_modules'))
  .sort();

interface Link {
  readonly text: string;
  /** From the root; '' for a place in the page itself. */
  readonly path: string;
  readonly anchor: string;
}

/** Without those to other hosts. Code is no link. */
function linksOf(page: string): readonly Link[] {
  const prose = readFileSync(join(root, page), 'utf8')
    .replaceAll(/^ *```.*?^ *```/gms, '')
    .replaceAll(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((text) => {
      const [path = '', anchor = ''] = text.split('#');
      return { text, path: path === '' ? page : normalize(join(dirname(page), path)), anchor };
    });
}

/** As GitHub names the places of a page. */
function anchorsOf(page: string): ReadonlySet<string> {
  const text = readFileSync(join(root, page), 'utf8').replaceAll(/^ *```.*?^ *```/gms, '');
  return new Set(
    [...text.matchAll(/^#+ +(.*)$/gm)].map(([, title = '']) =>
      title
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

describe('the pages of documentation', () => {
  for (const page of pages) {
    it(`${page} has no dead links`, () => {
      const dead = linksOf(page).filter(({ path, anchor }) => {
        if (!existsSync(join(root, path))) return true;
        return anchor !== '' && path.endsWith('.md') && !anchorsOf(path).has(anchor);
      });
      assert.deepEqual(
        dead.map(({ text }) => text),
        [],
      );
    });
  }

  it('are all found from README.md', () => {
    const found = new Set(['README.md']);
    for (const page of found) {
      for (const { path } of linksOf(page)) {
        const file =
          existsSync(join(root, path)) && statSync(join(root, path)).isDirectory() ? join(path, 'README.md') : path;
        if (file.endsWith('.md') && existsSync(join(root, file))) found.add(relative(root, join(root, file)));
      }
    }
    assert.deepEqual(
      pages.filter((page) => page.startsWith('docs/') && !found.has(page)),
      [],
    );
  });
});
