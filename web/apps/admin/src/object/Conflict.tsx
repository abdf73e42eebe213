import { Alert, Button, Group, Radio, Stack, Table, Text } from '@mantine/core';
import { Dialog } from '@oriel/look/dialog';
import { IconUsers } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { nameOfChange } from '../form/words.ts';
import { authorOf } from '../ui/words.ts';
import { ChangedValue } from './Changes.tsx';
import { contests, merged, type Version } from './merge.ts';

/** Both versions field by field, and which of them is to hold. */
export function Conflict(props: { kind: string; base: Version; mine: Version; theirs: Version; by: string; busy: boolean; close: () => void; onChoose: (version: Version) => void }) {
  const { t } = useTranslation();
  const { kind, base, mine, theirs } = props;
  const [taken, setTaken] = useState<ReadonlySet<string>>(new Set());
  const rows = contests(base, mine, theirs);
  const take = (field: string, isMine: boolean) => setTaken(new Set([...taken].filter((each) => each !== field).concat(isMine ? [field] : [])));

  return (
    <Dialog onClose={props.close} size="xl" title={t('conflict.title')}>
      <Stack>
        <Alert color="orange" variant="light" icon={<IconUsers aria-hidden />}>{t('conflict.text', { name: props.by ? authorOf(props.by, t) : t('conflict.somebody') })}</Alert>
        <Table.ScrollContainer minWidth={280}>
          <Table layout="fixed" data-testid="conflict">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{t('changes.field')}</Table.Th>
                <Table.Th visibleFrom="sm">{t('conflict.base')}</Table.Th>
                <Table.Th>{t('conflict.theirs')}</Table.Th>
                <Table.Th>{t('conflict.mine')}</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {rows.map(({ field, base: before, mine: my, theirs: their, disputed }) => {
                const name = nameOfChange(kind, { field, before, after: my }, mine.spec, t);
                const value = (each: unknown) => <ChangedValue kind={kind} field={field} value={each} spec={mine.spec} />;
                const side = (isMine: boolean, each: unknown) =>
                  disputed ? (
                    <Radio name={field} checked={taken.has(field) === isMine} onChange={() => take(field, isMine)} label={value(each)} aria-label={`${name}: ${t(isMine ? 'conflict.mine' : 'conflict.theirs')}`} />
                  ) : (
                    <Text size="sm" component="div">{value(each)}</Text>
                  );
                return (
                  <Table.Tr key={field}>
                    <Table.Td>{name}</Table.Td>
                    <Table.Td visibleFrom="sm">{value(before)}</Table.Td>
                    <Table.Td>{side(false, their)}</Table.Td>
                    <Table.Td>{side(true, my)}</Table.Td>
                  </Table.Tr>
                );
              })}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
        <Text size="sm" c="dimmed">{t('conflict.rest')}</Text>
        <Group justify="flex-end">
          <Button variant="default" onClick={props.close}>{t('conflict.back')}</Button>
          <Button loading={props.busy} onClick={() => props.onChoose(merged(base, mine, theirs, taken))} data-testid="conflict-save">{t('conflict.save')}</Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
