import { ActionBar, Button, Group, List, Loader, Stack, Text } from '@mantine/core';
import { Dialog } from '@oriel/look/dialog';
import { IconAlertTriangle, IconCheck, type Icon } from '@tabler/icons-react';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { queries } from '../queries.ts';
import { wordsOf } from '../ui/words.ts';
import { runEach, type Outcome } from './run.ts';

export interface BulkAction<Row> {
  key: string;
  label: string;
  icon: Icon;
  danger?: boolean;
  /** Asked before; what is filled in is handed to `run`. */
  ask: { title: string; text: string; /** What is done, where it is not called like the action. */ verb?: string; fields?: (value: Record<string, string>, set: (value: Record<string, string>) => void) => ReactNode; ready?: (value: Record<string, string>) => boolean };
  run: (row: Row, value: Record<string, string>) => Promise<unknown>;
}

/** What can be done with the chosen rows, and how it went with each. */
export function Bulk<Row extends { id: string }>({ path, rows, actions, nameOf, clear }: {
  path: string; rows: Row[]; actions: BulkAction<Row>[]; nameOf: (row: Row) => string; clear: () => void;
}) {
  const { t } = useTranslation();
  const [asked, setAsked] = useState<BulkAction<Row> | null>(null);
  return (
    <>
      <ActionBar opened={rows.length > 0 && asked === null} onClose={clear} aria-label={t('bulk.label')}>
        <Text size="sm" px="xs" role="status">{t('bulk.chosen', { count: rows.length })}</Text>
        {actions.map((action) => (
          <Button
            key={action.key} size="xs" variant={action.danger ? 'light' : 'default'} color={action.danger ? 'red' : 'frame'} leftSection={<action.icon size={16} aria-hidden />}
            onClick={() => setAsked(action)} data-testid={`bulk-${action.key}`}
          >
            {action.label}
          </Button>
        ))}
        <Button size="xs" variant="subtle" onClick={clear}>{t('bulk.clear')}</Button>
      </ActionBar>
      {asked !== null && (
        <Act action={asked} rows={rows} nameOf={nameOf} path={path} close={(isDone) => { setAsked(null); if (isDone) clear(); }} />
      )}
    </>
  );
}

export function Act<Row extends { id: string }>({ action, rows, nameOf, path, close }: {
  action: BulkAction<Row>; rows: Row[]; nameOf: (row: Row) => string; path: string; close: (isDone: boolean) => void;
}) {
  const { t } = useTranslation();
  const [value, setValue] = useState<Record<string, string>>({});
  const [outcomes, setOutcomes] = useState<ReadonlyMap<string, Outcome> | null>(null);
  const [isBusy, setBusy] = useState(false);

  const run = async () => {
    setBusy(true);
    setOutcomes(new Map(rows.map(({ id }) => [id, 'waiting'])));
    await runEach(rows, (row) => action.run(row, value), (id, outcome) => setOutcomes((before) => new Map(before).set(id, outcome)));
    setBusy(false);
    void queries.invalidateQueries({ queryKey: ['list', path] });
    void queries.invalidateQueries({ queryKey: ['object', path] });
  };
  const isDone = outcomes !== null && !isBusy;

  return (
    <Dialog onClose={() => !isBusy && close(isDone)} title={action.ask.title}>
      <Stack>
        {outcomes === null ? (
          <>
            <Text size="sm">{action.ask.text}</Text>
            {rows.length <= 8 && <List size="sm">{rows.map((row) => <List.Item key={row.id}>{nameOf(row)}</List.Item>)}</List>}
            {action.ask.fields?.(value, setValue)}
          </>
        ) : (
          <List size="sm" spacing={6} listStyleType="none" role="status" data-testid="outcomes">
            {rows.map((row) => <OutcomeRow key={row.id} name={nameOf(row)} outcome={outcomes.get(row.id) ?? 'waiting'} />)}
          </List>
        )}
        <Group justify="flex-end">
          {outcomes === null ? (
            <>
              <Button variant="default" onClick={() => close(false)} data-autofocus={action.ask.fields ? undefined : true}>{t('cancel')}</Button>
              <Button color={action.danger ? 'red.8' : 'frame'} disabled={action.ask.ready?.(value) === false} onClick={() => void run()} data-testid="confirm">{action.ask.verb ?? action.label}</Button>
            </>
          ) : (
            <Button loading={isBusy} onClick={() => close(true)}>{t('close')}</Button>
          )}
        </Group>
      </Stack>
    </Dialog>
  );
}

function OutcomeRow({ name, outcome }: { name: string; outcome: Outcome }) {
  const { t } = useTranslation();
  if (outcome === 'waiting') return <List.Item icon={<Loader size={16} />}>{name}</List.Item>;
  if (outcome === 'done') return <List.Item icon={<IconCheck size={18} color="var(--mantine-color-green-filled)" aria-hidden />}>{name}: {t('bulk.done')}</List.Item>;
  const words = wordsOf(outcome.failed, t);
  return (
    <List.Item icon={<IconAlertTriangle size={18} color="var(--mantine-color-red-filled)" aria-hidden />}>
      {name}: {words.title}. {words.detail}
    </List.Item>
  );
}
