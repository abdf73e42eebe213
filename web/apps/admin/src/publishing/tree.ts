/** Published resources as the tree that users see, and what a move changes of them. Pure. */
import type { ResourceView } from '@oriel/api/management';

export interface Branch {
  resource: ResourceView;
  children: Branch[];
}

export interface Move {
  /** Whatever lies in a folder among them goes with it. */
  dragged: readonly string[];
  target: string;
  position: 'before' | 'after' | 'inside';
}

export interface Place {
  id: string;
  folder: string | null;
  order: number;
}

export const isFolder = ({ spec }: ResourceView): boolean => spec.target.kind === 'folder';
const folderOf = ({ spec }: ResourceView): string | null => spec.folder ?? null;
const orderOf = ({ spec }: ResourceView): number => spec.order ?? 0;

const inOrder = (a: ResourceView, b: ResourceView): number => orderOf(a) - orderOf(b) || a.name.localeCompare(b.name);

/** What lies in a folder that is gone lies at the top: nothing is hidden. */
export function branchesOf(resources: readonly ResourceView[]): Branch[] {
  const folders = new Set(resources.filter(isFolder).map(({ id }) => id));
  const lying = new Map<string | null, ResourceView[]>();
  for (const resource of resources) {
    const folder = folderOf(resource);
    const key = folder !== null && folders.has(folder) ? folder : null;
    const there = lying.get(key);
    if (there) there.push(resource);
    else lying.set(key, [resource]);
  }
  const within = (folder: string | null, above: ReadonlySet<string>): Branch[] =>
    (lying.get(folder) ?? []).toSorted(inOrder).map((resource) => ({
      resource,
      children: isFolder(resource) && !above.has(resource.id) ? within(resource.id, new Set([...above, resource.id])) : [],
    }));
  return within(null, new Set());
}

/** Rows of one folder at most: of more than that, one is searched for. */
export const ROWS_MAX = 300;

/** What words find, with the folders that it lies in; a folder that is found shows what lies in it. */
export function filtered(branches: readonly Branch[], words: string): Branch[] {
  const wanted = words.trim().toLowerCase();
  if (wanted === '') return [...branches];
  const isMeant = ({ name, spec }: ResourceView) => [name, spec.title ?? ''].some((each) => each.toLowerCase().includes(wanted));
  const within = (all: readonly Branch[]): Branch[] =>
    all.flatMap((branch) => {
      if (isMeant(branch.resource)) return [branch];
      const children = within(branch.children);
      return children.length > 0 ? [{ ...branch, children }] : [];
    });
  return within(branches);
}

/** Whether a folder lies in another, or is it. */
export function liesIn(resources: readonly ResourceView[], id: string | null, folder: string): boolean {
  let here = id;
  for (let steps = 0; here !== null && steps <= resources.length; steps++) {
    if (here === folder) return true;
    const up = resources.find((each) => each.id === here);
    here = up ? folderOf(up) : null;
  }
  return false;
}

/** Where everything that a move concerns comes to lie; nothing, when it may not be. */
export function placesAfter(resources: readonly ResourceView[], { dragged, target, position }: Move): Place[] {
  const moved = outermost(resources, dragged);
  const at = resources.find(({ id }) => id === target);
  if (moved.length === 0 || !at || moved.includes(at)) return [];
  if (position === 'inside' && !isFolder(at)) return [];
  const folder = position === 'inside' ? target : folderOf(at);
  if (moved.some((each) => isFolder(each) && liesIn(resources, folder, each.id))) return [];
  const siblings = resources.filter((each) => folderOf(each) === folder && !moved.includes(each)).toSorted(inOrder);
  const index = position === 'inside' ? siblings.length : siblings.findIndex(({ id }) => id === target) + (position === 'after' ? 1 : 0);
  const next = [...siblings.slice(0, index), ...moved, ...siblings.slice(index)];
  return next
    .map((each, order) => ({ id: each.id, folder, order }))
    .filter((place) => {
      const old = resources.find(({ id }) => id === place.id);
      return old && (folderOf(old) !== place.folder || orderOf(old) !== place.order);
    });
}

/** Where they come to lie in a folder, behind what lies there; the top has no folder. */
export function placesInto(resources: readonly ResourceView[], ids: readonly string[], folder: string | null): Place[] {
  const moved = outermost(resources, ids).filter((each) => folderOf(each) !== folder);
  if (moved.some((each) => liesIn(resources, folder, each.id))) return [];
  const last = Math.max(-1, ...resources.filter((each) => folderOf(each) === folder).map(orderOf));
  return moved.map(({ id }, index) => ({ id, folder, order: last + 1 + index }));
}

/** Those that are moved themselves, in the order of the tree: what lies in one of them goes with it. */
function outermost(resources: readonly ResourceView[], ids: readonly string[]): ResourceView[] {
  const within = (branches: readonly Branch[]): ResourceView[] =>
    branches.flatMap(({ resource, children }) => (ids.includes(resource.id) ? [resource] : within(children)));
  return within(branchesOf(resources));
}

/** What a move of a row moves: all that are chosen, if it is one of them. */
export const movedWith = (id: string, chosen: readonly string[]): readonly string[] => (chosen.includes(id) ? chosen : [id]);

/** One step among its siblings. */
export function step(resources: readonly ResourceView[], id: string, by: -1 | 1): Move | null {
  const moved = resources.find((each) => each.id === id);
  if (!moved) return null;
  const siblings = resources.filter((each) => folderOf(each) === folderOf(moved)).toSorted(inOrder);
  const next = siblings[siblings.indexOf(moved) + by];
  return next ? { dragged: [id], target: next.id, position: by < 0 ? 'before' : 'after' } : null;
}
