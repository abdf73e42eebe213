import { List, Text } from '@mantine/core';
import type { Hours, Rule, Rules } from '@oriel/api/management';
import { useTranslation } from 'react-i18next';
import { moment } from '../ui/time.ts';
import { fieldsOf, isSpec, at, type Field } from './fields.ts';
import { pictureOf } from './IconPicker.tsx';
import { Name, Names } from './Names.tsx';
import { readRepeat, type Repeat } from './repeat.ts';
import { RuleSentence, RulesView } from './RulesView.tsx';
import { choiceOf, labelOf } from './words.ts';

/** A value in words. */
export function Value({ field, name, value }: { field: Field | undefined; name?: string; value: unknown }) {
  const { t, i18n } = useTranslation();
  if (value === null || value === undefined || value === '') return <Text component="span" inherit c="dimmed">{t('value.none')}</Text>;
  if (field === undefined) return <>{typeof value === 'object' ? JSON.stringify(value) : String(value)}</>;
  if (field.name === 'Rules') return <RulesView rules={value as Rules} />;
  if (name === 'icon') return <img src={pictureOf(String(value))} alt="" width={32} height={32} style={{ verticalAlign: 'middle' }} />;
  if (name === 'repeat' && typeof value === 'string') return <RepeatView repeat={readRepeat(value)} />;
  switch (field.is) {
    case 'switch':
      return <>{t(value === true ? 'value.yes' : 'value.no')}</>;
    case 'choice':
      return <>{choiceOf(field.name, String(value), t)}</>;
    case 'link':
      return <Name kind={field.kind} id={String(value)} />;
    case 'moment':
      return <>{moment(String(value), i18n.language)}</>;
    case 'local_time':
      // It says no zone: it is read as it is written.
      return <>{moment(String(value), i18n.language)}</>;
    case 'time':
      return <>{String(value).slice(0, 5)}</>;
    case 'list':
      return <ListView of={field.of} values={Array.isArray(value) ? value : []} />;
    case 'number':
      return <>{value === field.word ? choiceOf(field.name, field.word, t) : String(value)}</>;
    case 'record':
    case 'either':
    case 'variant':
      return <RecordView field={field} value={value} />;
    case 'map':
      return (
        <List size="sm" listStyleType="none">
          {Object.entries(isSpec(value) ? value : {}).map(([key, each]) => (
            <List.Item key={key}>
              {labelOf('Site', key, t)}: <Value field={field.of} value={each} />
            </List.Item>
          ))}
        </List>
      );
    default:
      return <>{String(value)}</>;
  }
}

function ListView({ of, values }: { of: Field; values: unknown[] }) {
  const { t } = useTranslation();
  if (values.length === 0) return <Text component="span" inherit c="dimmed">{t('value.empty')}</Text>;
  if (of.is === 'link') return <Names kind={of.kind} ids={values.map(String)} />;
  if (of.is === 'choice') return <>{values.map((value) => choiceOf(of.name, String(value), t)).join(', ')}</>;
  if (of.name === 'Hours') return <HoursView open={values as Hours[]} />;
  if (of.name === 'Rule') return <List type="ordered" size="sm">{(values as Rule[]).map((rule, index) => <List.Item key={index}><RuleSentence rule={rule} /></List.Item>)}</List>;
  if (of.is !== 'record' && of.is !== 'variant' && of.is !== 'either') return <>{values.map(String).join(', ')}</>;
  return (
    <List size="sm">
      {values.map((value, index) => (
        <List.Item key={index}>
          <Value field={of} value={value} />
        </List.Item>
      ))}
    </List>
  );
}

/** The fields of a small record after each other: "Warning 80, Critical 95". */
function RecordView({ field, value }: { field: Field; value: unknown }) {
  const { t } = useTranslation();
  const mark = field.is === 'variant' ? choiceOf(field.name, String(at(value, [field.by])), t) : null;
  const said = Object.entries(fieldsOf(field, value)).filter(([name]) => {
    const each = at(value, [name]);
    return each !== undefined && each !== null && each !== '' && !(Array.isArray(each) && each.length === 0);
  });
  // "Pools: Default", not "Pools · Pools: Default": which objects they are says it all.
  const [only] = said;
  if (mark !== null && said.length === 1 && only?.[1].is === 'list' && only[1].of.is === 'link') return <>{mark}: <Value field={only[1]} name={only[0]} value={at(value, [only[0]])} /></>;
  if (mark === null && said.length === 0) return <Text component="span" inherit c="dimmed">{t('value.none')}</Text>;
  return (
    <>
      {mark}
      {said.map(([name, each], index) => (
        <span key={name}>
          {mark !== null || index > 0 ? ' · ' : ''}
          {labelOf(field.name ?? '', name, t)}: <Value field={each} name={name} value={at(value, [name])} />
        </span>
      ))}
    </>
  );
}

export function HoursView({ open }: { open: Hours[] }) {
  const { t } = useTranslation();
  return (
    <List size="sm" listStyleType="none">
      {open.map(({ days, from, to }, index) => (
        <List.Item key={index}>
          {days.map((day) => choiceOf('Day', day, t)).join(', ')}: {from.slice(0, 5)}–{to == null ? '24:00' : to.slice(0, 5)}
        </List.Item>
      ))}
    </List>
  );
}

function RepeatView({ repeat }: { repeat: Repeat }) {
  const { t } = useTranslation();
  switch (repeat.every) {
    case 'once':
      return <>{t('repeat.once')}</>;
    case 'day':
      return <>{t('repeat.in_days', { count: repeat.interval })}</>;
    case 'week':
      return <>{t('repeat.in_weeks', { count: repeat.interval, days: repeat.days.map((day) => choiceOf('Day', day, t)).join(', ') })}</>;
    case 'month':
      return <>{t('repeat.in_months', { count: repeat.interval, day: repeat.day })}</>;
    case 'other':
      return <code>{repeat.rule}</code>;
  }
}
