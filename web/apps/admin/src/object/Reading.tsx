import { Badge, DataList, Group, Paper, Stack, Text, Title, Tooltip } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { at, fieldsOf, formOf, isSpec, type Field, type Fields, type Path } from '../form/fields.ts';
import { useName } from '../form/Names.tsx';
import { Value } from '../form/Value.tsx';
import { choiceOf, helpOf, labelOf } from '../form/words.ts';
import { pageOf, pluralOf } from '../kinds.ts';
import { object as objectQuery, type Shown } from '../queries.ts';
import { Link } from '../ui/Link.tsx';
import { originOf, type Origin } from './inherit.ts';

/** Those of a section stand together under its name; the rest comes first. */
const isSection = (field: Field): boolean => (field.is === 'record' && field.name !== 'Rules' && !(field.nullable && field.name === 'Threshold')) || field.is === 'variant' || field.is === 'either';

/** Everything that is set of an object, and where what it inherits comes from. */
export function Reading({ kind, object }: { kind: string; object: Shown }) {
  const { t } = useTranslation();
  const form = formOf(kind);
  const sections = Object.entries(form.fields).filter(([, field]) => isSection(field));
  const plain = Object.fromEntries(Object.entries(form.fields).filter(([, field]) => !isSection(field)));
  return (
    <Stack gap="md">
      {Object.keys(plain).length > 0 && (
        <Paper withBorder p="md" className="card">
          <Title order={2} size="h4" mb="sm">{t('object.general')}</Title>
          <FieldList kind={kind} object={object} fields={plain} schema={form.name ?? ''} path={[]} />
        </Paper>
      )}
      {sections.map(([name, field]) => (
        <Paper key={name} withBorder p="md" className="card">
          <Title order={2} size="h4" mb={helpOf(form.name ?? '', name, t) ? 2 : 'sm'}>{labelOf(form.name ?? '', name, t)}</Title>
          {helpOf(form.name ?? '', name, t) && <Text size="sm" c="dimmed" mb="sm">{helpOf(form.name ?? '', name, t)}</Text>}
          {field.is === 'record' ? (
            <FieldList kind={kind} object={object} fields={field.fields} schema={field.name ?? ''} path={[name]} />
          ) : (
            <Alternative kind={kind} object={object} field={field} name={name} />
          )}
        </Paper>
      ))}
    </Stack>
  );
}

/** Which alternative it is, and below it what that one says; what is a word or two stands in one line. */
function Alternative({ kind, object, field, name }: { kind: string; object: Shown; field: Field; name: string }) {
  const { t } = useTranslation();
  const value = at(object.spec, [name]);
  const fields = fieldsOf(field, value);
  if (field.is !== 'variant' || !isSpec(value) || Object.keys(fields).length < 2) {
    return <Text size="sm" component="div"><Value field={field} name={name} value={value} /></Text>;
  }
  return (
    <>
      <Text size="sm" fw={600} mb="sm">{choiceOf(field.name, String(value[field.by]), t)}</Text>
      <FieldList kind={kind} object={object} fields={fields} schema={field.name ?? ''} path={[name]} />
    </>
  );
}

const isEmpty = (value: unknown): boolean => value === null || value === undefined || value === '' || (Array.isArray(value) && value.length === 0);

/** Fields of one record, each with its value and where it comes from. */
export function FieldList({ kind, object, fields, schema, path }: { kind: string; object: Shown; fields: Fields; schema: string; path: Path }) {
  const { t } = useTranslation();
  return (
    <DataList orientation="horizontal" labelWidth="min(320px, 40%)" withDivider className="values">
      {Object.entries(fields).map(([name, field]) => {
        const here = [...path, name];
        const origin = originOf(kind, object, here);
        const value = origin && !origin.own ? origin.value : at(object.spec, here);
        // Who has said nothing has set nothing.
        const isOwn = origin?.own === true && !isEmpty(value);
        return (
          <DataList.Item key={name}>
            <DataList.ItemLabel>{labelOf(schema, name, t)}</DataList.ItemLabel>
            <DataList.ItemValue>
              <Group gap="sm" justify="space-between" wrap="wrap" w="100%">
                <div style={{ fontWeight: isOwn ? 600 : 400 }}>
                  <Value field={field} name={name} value={value} />
                </div>
                {origin && (isOwn || !origin.own) && <OriginBadge kind={kind} object={object} origin={origin} path={here} field={field} />}
              </Group>
            </DataList.ItemValue>
          </DataList.Item>
        );
      })}
    </DataList>
  );
}

/** Own, overriding or inherited: told apart by word and colour, with the way to where it is set. */
function OriginBadge({ kind, object, origin, path, field }: { kind: string; object: Shown; origin: Origin; path: Path; field: Field }) {
  const { t } = useTranslation();
  const name = useName(origin.source?.kind ?? 'pool', origin.source?.id);
  if (origin.own) return <Overrides kind={kind} object={object} path={path} field={field} />;
  if (origin.source === null) return <Badge variant="outline" color="gray" tt="none">{t(`origin.${origin.level}`)}</Badge>;
  return (
    <Link to={pageOf(origin.source.kind, origin.source.id)} size="xs" underline="always">
      {t(`origin.from_${origin.source.kind === 'pool' ? 'pool' : 'site'}`, { name: name ?? '…' })}
    </Link>
  );
}

/** What would hold if the object said nothing itself. */
function Overrides({ kind, object, path, field }: { kind: string; object: Shown; path: Path; field: Field }) {
  const { t } = useTranslation();
  const parent = kind === 'host' && typeof object.spec.pool === 'string' ? object.spec.pool : null;
  const pool = useQuery({ ...objectQuery<Shown>(pluralOf('pool'), parent ?? ''), enabled: parent !== null });
  const above = parent === null ? undefined : at(pool.data?.effective, path);
  const badge = <Badge variant="light" tt="none">{t('origin.own')}</Badge>;
  if (above === undefined) return badge;
  return (
    <Group gap={6}>
      <Text size="xs" c="dimmed" component="div">{t('origin.instead_of')} <Value field={field} value={isSpec(above) || above !== null ? above : null} /></Text>
      <Tooltip label={t('origin.own_help')}>{badge}</Tooltip>
    </Group>
  );
}
