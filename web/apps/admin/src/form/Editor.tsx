/** Draws the form of a record from its description. What deserves an editor of its own has one, by its name. */
import {
  Button, Fieldset, Group, MultiSelect, NumberInput, Select, SegmentedControl, Stack, Switch, TagsInput, Text, TextInput, Textarea, ActionIcon,
} from '@mantine/core';
import type { Hours, Mistake, Rules } from '@oriel/api/management';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { alternative, at, fieldsOf, initial, isSpec, put, type Field, type Fields, type Path, type Spec } from './fields.ts';
import { useIsNarrow } from '../ui/narrow.ts';
import { IconPicker } from './IconPicker.tsx';
import { ObjectMultiSelect, ObjectSelect } from './Picker.tsx';
import { RepeatEditor } from './RepeatEditor.tsx';
import { RulesEditor } from './RulesEditor.tsx';
import { WeekEditor } from './WeekEditor.tsx';
import { choiceOf, helpOf, labelOf } from './words.ts';

export interface Inherited {
  /** What holds if this object says nothing. */
  value: unknown;
  /** Where that is set, in words. */
  from: string;
}

export interface EditorProps {
  spec: Spec;
  onChange: (spec: Spec) => void;
  mistakes: Mistake[];
  /** What a field would inherit; undefined: it inherits nothing. */
  inherited?: (path: Path) => Inherited | undefined;
  /** Fields of the whole that have a place of their own. */
  without?: string[];
  /** The object itself cannot be chosen as its own folder. */
  self?: string | undefined;
}

const TIME_ZONES = ['UTC', ...Intl.supportedValuesOf('timeZone')];
/** Texts that are sentences get more than a line. */
const LONG = new Set(['message', 'text', 'limit_message', 'maintenance_message', 'trusted_certificates', 'authority']);
/** As many letters as stand beside each other on a phone. */
const BESIDE_MAX = 24;
/** Several certificates as PEM. */
const LONG_MAX = 32 * 1024;

export function Editor({ form, schema, ...props }: EditorProps & { form: Fields; schema: string }) {
  return <FieldsEditor {...props} fields={form} schema={schema} path={[]} />;
}

function FieldsEditor({ fields, schema, path, without, ...props }: EditorProps & { fields: Fields; schema: string; path: Path }) {
  return (
    <Stack gap="md">
      {Object.entries(fields)
        .filter(([name]) => path.length > 0 || !without?.includes(name))
        .map(([name, field]) => (
          <FieldEditor key={name} {...props} field={field} schema={schema} name={name} path={[...path, name]} />
        ))}
    </Stack>
  );
}

type One = EditorProps & { field: Field; schema: string; name: string; path: Path };

function FieldEditor({ field, schema, name, path, ...props }: One) {
  const { t } = useTranslation();
  const { spec, onChange, mistakes } = props;
  const value = at(spec, path);
  const set = (to: unknown) => onChange(put(spec, path, to));
  const address = `spec.${path.join('.')}`;
  const mistake = mistakes.find((each) => each.field === address || (isLeaf(field) && each.field.startsWith(`${address}.`)) || each.field.startsWith(`${address}[`));
  const label = labelOf(schema, name, t);
  const inherited = props.inherited?.(path);
  const common = {
    label,
    description: helpOf(schema, name, t),
    error: mistake?.message,
    required: field.required === true && field.nullable !== true,
    placeholder: inherited ? t('inherit.placeholder', { from: inherited.from }) : undefined,
  };

  if (field.name === 'Rules') return <Section {...common}><RulesEditor rules={(value ?? {}) as Rules} onChange={set} /></Section>;
  if (field.is === 'list' && field.of.name === 'Hours') {
    return <Section {...common}><WeekEditor open={(value ?? []) as Hours[]} onChange={set} /></Section>;
  }
  if (name === 'icon') return <IconPicker value={text(value)} onChange={set} label={label} />;
  if (name === 'repeat') return <RepeatEditor rule={value as string | null} onChange={set} label={label} error={mistake?.message} />;
  if (name === 'time_zone' || (schema === 'Clock' && name === 'otherwise')) {
    return <Select {...common} data={TIME_ZONES} value={text(value)} onChange={set} searchable maxDropdownHeight={260} />;
  }

  switch (field.is) {
    case 'switch':
      if (!field.nullable) return <Switch label={label} description={common.description} error={mistake?.message} checked={value === true} onChange={(event) => set(event.currentTarget.checked)} />;
      return (
        <Select
          {...common} value={value === true ? 'yes' : value === false ? 'no' : null} clearable
          data={[{ value: 'yes', label: t('value.yes') }, { value: 'no', label: t('value.no') }]}
          onChange={(to) => set(to === null ? null : to === 'yes')}
        />
      );
    case 'either':
      return <EitherEditor {...props} field={field} path={path} label={label} description={common.description} error={mistake?.message} />;
    case 'number':
      if (field.word !== undefined) return <WordOrNumber field={field} word={field.word} value={value} set={set} common={common} />;
      return (
        <NumberInput
          {...common} value={typeof value === 'number' ? value : ''} min={field.min ?? -1_000_000} max={field.max ?? 4_294_967_295} allowDecimal={false}
          onChange={(to) => set(to === '' ? (field.nullable ? null : undefined) : Number(to))}
        />
      );
    case 'choice':
      return (
        <Select
          {...common} value={text(value) === '' ? null : text(value)} onChange={set} clearable={field.nullable === true} allowDeselect={field.nullable === true}
          data={field.of.map((each) => ({ value: each, label: choiceOf(field.name, each, t) }))}
        />
      );
    case 'link':
      return (
        <ObjectSelect
          {...common} kind={field.kind} value={text(value)} onChange={set} {...(name === 'folder' ? { filter: 'spec.target.kind:folder' } : {})}
          {...(props.self === undefined ? {} : { without: props.self })}
        />
      );
    case 'time':
      return <TextInput {...common} type="time" value={text(value).slice(0, 5)} onChange={(event) => set(event.currentTarget.value === '' ? null : `${event.currentTarget.value}:00`)} />;
    case 'local_time':
      return <TextInput {...common} type="datetime-local" value={text(value).slice(0, 16)} onChange={(event) => set(event.currentTarget.value === '' ? '' : `${event.currentTarget.value}:00`)} />;
    case 'date':
      return <TextInput {...common} type="date" value={text(value)} onChange={(event) => set(event.currentTarget.value)} />;
    case 'moment':
      return (
        <TextInput
          {...common} type="datetime-local" value={localOf(text(value))}
          onChange={(event) => set(event.currentTarget.value === '' ? null : new Date(event.currentTarget.value).toISOString())}
        />
      );
    case 'list':
      return <ListEditor {...props} {...common} field={field.of} values={Array.isArray(value) ? value : []} set={set} />;
    case 'map':
      return <MapEditor field={field.of} value={isSpec(value) ? value : {}} set={set} label={label} self={props.self} />;
    case 'record':
      if (field.nullable) {
        return (
          <Stack gap="xs">
            <Switch
              label={label} checked={isSpec(value)} error={mistake?.message}
              description={[common.description, isSpec(value) ? undefined : common.placeholder].filter(Boolean).join(' ')}
              onChange={(event) => set(event.currentTarget.checked ? (isSpec(inherited?.value) ? inherited.value : initial({ ...field, nullable: false })) : null)}
            />
            {isSpec(value) && <Fieldset aria-label={label}><FieldsEditor {...props} fields={field.fields} schema={field.name ?? ''} path={path} /></Fieldset>}
          </Stack>
        );
      }
      return <Section {...common}><FieldsEditor {...props} fields={field.fields} schema={field.name ?? ''} path={path} /></Section>;
    case 'variant':
      return <VariantEditor {...props} field={field} path={path} label={label} description={common.description} error={mistake?.message} />;
    default:
      return LONG.has(name) ? (
        <Textarea {...common} autosize minRows={2} maxRows={12} maxLength={field.max ?? LONG_MAX} value={text(value)} onChange={(event) => set(event.currentTarget.value === '' && field.nullable ? null : event.currentTarget.value)} />
      ) : (
        <TextInput
          {...common} maxLength={field.max ?? 1024} value={text(value)}
          onChange={(event) => set(event.currentTarget.value === '' && field.nullable ? null : event.currentTarget.value)}
        />
      );
  }
}

const isLeaf = (field: Field): boolean => field.is !== 'record' && field.is !== 'variant' && field.is !== 'either';
const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** A moment as the browser's own field takes it. */
function localOf(moment: string): string {
  const date = new Date(moment);
  if (moment === '' || Number.isNaN(date.getTime())) return '';
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

function Section({ label, description, error, children }: { label: string; description?: string | undefined; error?: string | undefined; children: ReactNode }) {
  return (
    <Fieldset legend={label}>
      <Stack gap="sm">
        {description !== undefined && <Text size="sm" c="dimmed">{description}</Text>}
        {children}
        {error !== undefined && <Text size="sm" c="red" role="alert">{error}</Text>}
      </Stack>
    </Fieldset>
  );
}

function VariantEditor({ field, path, label, description, error, ...props }: EditorProps & {
  field: Extract<Field, { is: 'variant' }>; path: Path; label: string; description?: string | undefined; error?: string | undefined;
}) {
  const { t } = useTranslation();
  const value = at(props.spec, path);
  const mark = isSpec(value) ? String(value[field.by]) : null;
  const isNarrow = useIsNarrow();
  const data = Object.keys(field.of).map((each) => ({ value: each, label: choiceOf(field.name, each, t) }));
  const isLong = isNarrow && data.map((each) => each.label).join('').length > BESIDE_MAX;
  const choose = (to: string | null) => props.onChange(put(props.spec, path, to === null ? null : alternative(field, to)));
  return (
    <Section label={label} description={description} error={error}>
      {data.length <= 3 && !field.nullable ? (
        <SegmentedControl data={data} value={mark ?? ''} onChange={choose} aria-label={label} fullWidth orientation={isLong ? 'vertical' : 'horizontal'} />
      ) : (
        <Select data={data} value={mark} onChange={choose} aria-label={label} clearable={field.nullable === true} allowDeselect={false} />
      )}
      {mark !== null && Object.keys(fieldsOf(field, value)).length > 0 && (
        <FieldsEditor {...props} fields={fieldsOf(field, value)} schema={field.name ?? ''} path={path} />
      )}
    </Section>
  );
}

/** One field of several: choosing which, then filling it in. */
function EitherEditor({ field, path, label, description, error, ...props }: EditorProps & {
  field: Extract<Field, { is: 'either' }>; path: Path; label: string; description?: string | undefined; error?: string | undefined;
}) {
  const { t } = useTranslation();
  const value = at(props.spec, path);
  const mark = Object.keys(field.of).find((name) => at(value, [name]) !== undefined) ?? '';
  return (
    <Section label={label} description={description} error={error}>
      <SegmentedControl
        aria-label={label} value={mark} data={Object.keys(field.of).map((name) => ({ value: name, label: labelOf(field.name ?? '', name, t) }))}
        onChange={(to) => props.onChange(put(props.spec, path, { [to]: initial(field.of[to] ?? { is: 'text' }) }))}
      />
      <FieldsEditor {...props} fields={fieldsOf(field, value)} schema={field.name ?? ''} path={path} />
    </Section>
  );
}

/** A number, or a word in its place: seconds, or never. */
function WordOrNumber({ field, word, value, set, common }: {
  field: Extract<Field, { is: 'number' }>; word: string; value: unknown; set: (to: unknown) => void;
  common: { label: string; description?: string | undefined; error?: string | undefined; placeholder?: string | undefined };
}) {
  const { t } = useTranslation();
  return (
    <Group align="flex-end" gap="md">
      <NumberInput
        {...common} flex={1} miw={240} value={typeof value === 'number' ? value : ''} min={field.min ?? 0} max={field.max ?? 4_294_967_295} allowDecimal={false} disabled={value === word}
        onChange={(to) => set(to === '' ? (field.nullable ? null : undefined) : Number(to))}
      />
      <Switch mb={8} label={choiceOf(field.name, word, t)} aria-label={`${common.label}: ${choiceOf(field.name, word, t)}`} checked={value === word} onChange={(event) => set(event.currentTarget.checked ? word : field.nullable ? null : (field.min ?? 0))} />
    </Group>
  );
}

function ListEditor({ field, values, set, label, description, error, ...props }: Omit<EditorProps, 'spec' | 'onChange'> & {
  field: Field; values: unknown[]; set: (to: unknown) => void; label: string; description?: string | undefined; error?: string | undefined;
}) {
  const { t } = useTranslation();
  if (field.is === 'link') return <ObjectMultiSelect kind={field.kind} value={values.map(String)} onChange={set} label={label} description={description} error={error} />;
  if (field.is === 'choice') {
    return (
      <MultiSelect
        label={label} description={description} error={error} value={values.map(String)} onChange={set} clearable
        data={field.of.map((each) => ({ value: each, label: choiceOf(field.name, each, t) }))} clearButtonProps={{ 'aria-label': t('pick.clear') }}
      />
    );
  }
  if (field.is === 'text' || field.is === 'date') {
    return <TagsInput label={label} description={description ?? t('form.tags')} error={error} value={values.map(String)} onChange={set} clearable clearButtonProps={{ 'aria-label': t('pick.clear') }} />;
  }
  return (
    <Section label={label} description={description} error={error}>
      {values.map((each, index) => (
        <Fieldset key={index} legend={t('form.entry', { number: index + 1 })}>
          <Group align="flex-start" wrap="nowrap">
            <Stack flex={1}>
              <FieldsOfEntry {...props} field={field} value={each} onChange={(to) => set(values.map((old, place) => (place === index ? to : old)))} />
            </Stack>
            <ActionIcon aria-label={t('form.remove_entry', { number: index + 1 })} onClick={() => set(values.filter((_, place) => place !== index))}>
              <IconTrash size={18} />
            </ActionIcon>
          </Group>
        </Fieldset>
      ))}
      <Group>
        <Button variant="default" size="xs" leftSection={<IconPlus size={16} aria-hidden />} onClick={() => set([...values, initial(field)])}>
          {t('form.add_entry')}
        </Button>
      </Group>
    </Section>
  );
}

/** An entry is edited as if it were a whole form of its own. */
function FieldsOfEntry({ field, value, onChange, ...props }: Omit<EditorProps, 'spec' | 'onChange' | 'inherited'> & { field: Field; value: unknown; onChange: (to: unknown) => void }) {
  const { t } = useTranslation();
  if (field.is === 'variant') {
    return <FieldEditor {...props} mistakes={[]} spec={{ entry: value }} onChange={(spec) => onChange(spec.entry)} field={field} schema="Object" name="entry" path={['entry']} />;
  }
  if (field.is !== 'record') return <Text size="sm">{t('value.none')}</Text>;
  return <FieldsEditor {...props} mistakes={[]} spec={isSpec(value) ? value : {}} onChange={onChange} fields={field.fields} schema={field.name ?? ''} path={[]} />;
}

const SECTIONS = ['host_defaults', 'balancing_defaults', 'clients', 'publishing'];

/** Which sections are kept in step with another site. */
function MapEditor({ field, value, set, label, self }: { field: Field; value: Spec; set: (to: Spec) => void; label: string; self?: string | undefined }) {
  const { t } = useTranslation();
  if (field.is !== 'link') return null;
  return (
    <Section label={label} description={t('help.follows')}>
      {SECTIONS.map((section) => (
        <ObjectSelect
          key={section} kind={field.kind} label={labelOf('Site', section, t)} value={text(value[section])} {...(self === undefined ? {} : { without: self })}
          onChange={(to) => set(put(value, [section], to ?? undefined))}
        />
      ))}
    </Section>
  );
}
