import { Button } from '@mantine/core';
import { get, type Entries, type Query } from '@oriel/api/management';
import { useMutation } from '@tanstack/react-query';
import { IconDownload } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { notify, notifyFailure } from '../ui/notify.ts';

const PAGE = 1_000;
/** Some 100 MiB: what a browser holds at ease. More is for `oriel log export`. */
const ENTRIES_MAX = 200_000;

/** The entries that are wanted as a file: a line of JSON for each, oldest first. */
export function Export({ query }: { query: Query }) {
  const { t } = useTranslation();
  const save = useMutation({
    mutationFn: () => linesOf(query),
    onSuccess: ({ lines, count, isAll }) => {
      const address = URL.createObjectURL(new Blob(lines, { type: 'application/jsonl' }));
      const link = document.createElement('a');
      link.href = address;
      link.download = 'oriel-log.jsonl';
      link.click();
      URL.revokeObjectURL(address);
      notify({ tone: 'good', title: t('audit.exported', { count }), ...(isAll ? {} : { text: t('audit.export_more') }) });
    },
    onError: (error) => notifyFailure(error, t),
  });
  return <Button variant="default" leftSection={<IconDownload size={18} aria-hidden />} loading={save.isPending} onClick={() => save.mutate()} data-testid="export">{t('audit.export')}</Button>;
}

async function linesOf(query: Query): Promise<{ lines: string[]; count: number; isAll: boolean }> {
  const lines: string[] = [];
  let count = 0;
  let after: number | null = 0;
  while (after !== null && count < ENTRIES_MAX) {
    const page: Entries = await get<Entries>('/audit', { ...query, after, limit: PAGE });
    if (page.items.length > 0) lines.push(page.items.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
    count += page.items.length;
    after = page.next ?? null;
  }
  return { lines, count, isAll: after === null };
}
