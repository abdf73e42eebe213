/** What of the published resources is shown where. Pure. */
import type { Resource, ResourceList } from '@oriel/api';

const byOrder = (a: Resource, b: Resource): number =>
  Number(b.kind === 'folder') - Number(a.kind === 'folder') || a.order - b.order || a.name.localeCompare(b.name);

/** What lies in a folder, folders first. A resource whose folder is not visible lies at the top. */
export function contentsOf(resources: Resource[], folder: string | null): Resource[] {
  const folders = new Set(resources.filter((each) => each.kind === 'folder').map((each) => each.id));
  return resources
    .filter((each) => (each.folder !== null && folders.has(each.folder) ? each.folder : null) === folder)
    .toSorted(byOrder);
}

/** From the top down to the folder itself. */
export function pathTo(resources: Resource[], folder: string | null): Resource[] {
  const path: Resource[] = [];
  let id = folder;
  while (id !== null) {
    const at = resources.find((each) => each.id === id && each.kind === 'folder');
    // Folders that hold each other would never end.
    if (!at || path.includes(at)) break;
    path.unshift(at);
    id = at.folder;
  }
  return path;
}

/** How many things to open lie below a folder, at any depth. */
export function countIn(resources: Resource[], folder: string): number {
  return resources.filter(
    (each) => each.kind !== 'folder' && pathTo(resources, each.folder).some((above) => above.id === folder),
  ).length;
}

const plain = (text: string): string => text.normalize('NFD').replace(/\p{Diacritic}/gu, '').toLowerCase();

/** Every word must occur, in name, description or folder; names that begin with it come first. */
export function search(resources: Resource[], query: string): Resource[] {
  const words = plain(query).split(/\s+/).filter(Boolean);
  if (words.length === 0) return [];
  const rank = (each: Resource): number => (plain(each.name).startsWith(words[0] ?? '') ? 0 : 1);
  return resources
    .filter((each) => each.kind !== 'folder')
    .filter((each) => {
      const folders = pathTo(resources, each.folder).map((above) => above.name);
      const text = plain([each.name, each.description, ...folders].join(' '));
      return words.every((word) => text.includes(word));
    })
    .toSorted((a, b) => rank(a) - rank(b) || byOrder(a, b));
}

export function favouritesOf(list: ResourceList): Resource[] {
  return present(list, list.favourites);
}

/** How many of the last used are worth showing: one row on a desk, two on a phone. */
const RECENT = 6;

/** Recently used, without what is shown as a favourite already. */
export function recentOf(list: ResourceList): Resource[] {
  const latest = list.recent.toSorted((a, b) => Date.parse(b.at) - Date.parse(a.at)).map((each) => each.id);
  return present(list, latest.filter((id) => !list.favourites.includes(id))).slice(0, RECENT);
}

function present(list: ResourceList, ids: string[]): Resource[] {
  return ids
    .map((id) => list.resources.find((each) => each.id === id && each.kind !== 'folder'))
    .filter((each) => each !== undefined);
}
