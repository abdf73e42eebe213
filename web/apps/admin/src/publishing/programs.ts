/** The programs that a host's agent finds installed, and publishing them. */
import { call, get, post, type InstalledApp, type InstalledApps, type NewIcon, type Resource, type ResourceView } from '@oriel/api/management';
import { queryOptions } from '@tanstack/react-query';

export const programsOf = (host: string, language: string) =>
  queryOptions({
    queryKey: ['programs', host, language] as const,
    queryFn: async ({ signal }) => (await get<InstalledApps>(`/hosts/${host}/apps`, { icons: true, language }, signal)).apps,
    staleTime: 60_000,
    retry: false,
  });

export const pictureOfProgram = ({ icon_png }: InstalledApp): string | null => (icon_png ? `data:image/png;base64,${icon_png}` : null);

export interface Choice {
  pool: string;
  folder: string | null;
  /** Groups that see it; none: everybody. */
  groups: string[] | 'nobody yet';
  ruleName: string;
}

export function rulesFor({ groups, ruleName }: Pick<Choice, 'groups' | 'ruleName'>): Resource['rules'] {
  if (groups === 'nobody yet') return { otherwise: 'deny', rules: [] };
  if (groups.length === 0) return { otherwise: 'allow', rules: [] };
  return { otherwise: 'deny', rules: [{ name: ruleName, effect: 'allow', criteria: [{ type: 'group', objects: groups, negated: false }] }] };
}

/** A name that is not taken: two programs may be called the same. */
export function freeName(wanted: string, taken: ReadonlySet<string>): string {
  if (!taken.has(wanted.toLowerCase())) return wanted;
  for (let number = 2; ; number++) {
    if (!taken.has(`${wanted} ${number}`.toLowerCase())) return `${wanted} ${number}`;
  }
}

/** What these are called when none may be called like another, or like what is there. */
export function freeNames(apps: readonly InstalledApp[], published: readonly { name: string }[]): Map<string, string> {
  const taken = new Set(published.map(({ name }) => name.toLowerCase()));
  const names = new Map<string, string>();
  for (const { id, name } of apps) {
    const free = freeName(name, taken);
    taken.add(free.toLowerCase());
    names.set(id, free);
  }
  return names;
}

export async function publish(app: InstalledApp, name: string, choice: Choice): Promise<ResourceView> {
  const bytes = app.icon_png ? Uint8Array.from(atob(app.icon_png), (letter) => letter.charCodeAt(0)) : null;
  const icon = bytes ? (await call<NewIcon>('POST', '/icons', { body: new Blob([bytes], { type: 'image/png' }) })).id : null;
  const spec: Resource = {
    description: app.comment, folder: choice.folder, icon, rules: rulesFor(choice) ?? {},
    target: { kind: 'application', program: app.program, arguments: app.arguments, source: { from: 'pools', pools: [choice.pool] } },
  };
  return post<ResourceView>('/resources', { name, spec });
}
