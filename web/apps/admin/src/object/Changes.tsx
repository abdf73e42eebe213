import { Table, Text } from '@mantine/core';
import type { FieldChange } from '@oriel/api/management';
import { useTranslation } from 'react-i18next';
import { alongPath } from '../form/fields.ts';
import { Name } from '../form/Names.tsx';
import { Value } from '../form/Value.tsx';
import { nameOfChange } from '../form/words.ts';

/** What a change makes of an object, field by field: before and after. */
export function Changes({ kind, changes, spec }: { kind: string; changes: FieldChange[]; spec?: unknown }) {
  const { t } = useTranslation();
  if (changes.length === 0) return <Text size="sm">{t('changes.none')}</Text>;
  return (
    <Table.ScrollContainer minWidth={280}>
      <Table layout="fixed" verticalSpacing={6}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t('changes.field')}</Table.Th>
            <Table.Th>{t('changes.before')}</Table.Th>
            <Table.Th>{t('changes.after')}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {changes.map((change) => (
            <Table.Tr key={change.field}>
              <Table.Td>{nameOfChange(kind, change, spec, t)}</Table.Td>
              <Table.Td component="td"><ChangedValue kind={kind} field={change.field} value={change.before} spec={spec} /></Table.Td>
              <Table.Td><strong><ChangedValue kind={kind} field={change.field} value={change.after} spec={spec} /></strong></Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

export function ChangedValue({ kind, field, value, spec }: { kind: string; field: string; value: unknown; spec?: unknown }) {
  const [first = '', ...rest] = field.split('.');
  if (first === 'site' && typeof value === 'string') return <Name kind="site" id={value} />;
  const along = first === 'spec' ? alongPath(kind, rest, spec) : [];
  const found = along.length === rest.length ? along.at(-1) : undefined;
  return <Value field={found?.field} {...(found ? { name: found.name } : {})} value={value} />;
}
