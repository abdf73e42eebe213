import '@mantine/dates/styles.css';
import 'dayjs/locale/de';
import { Badge, Box, EmptyState, Grid, Group, Indicator, Paper, Stack, Text, Title } from '@mantine/core';
import { Calendar as Month, DatesProvider } from '@mantine/dates';
import { get, type Calendar as Times, type ScheduledTime } from '@oriel/api/management';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { IconCalendarOff, IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { FORMS } from '../form/fields.ts';
import { Value } from '../form/Value.tsx';
import { PageHead } from '../frame/PageHead.tsx';
import { NotFound } from '../frame/Trouble.tsx';
import { useMay } from '../sign-in/use-may.ts';
import { Failure } from '../ui/Failure.tsx';
import { Link, LinkButton } from '../ui/Link.tsx';
import { dayOf, monthOf, spanOf } from '../ui/days.ts';

/** Times that are listed: who wants to see more chooses a day. */
const LISTED = 100;

/** A month with everything that schedules do in it, and how it went. */
export default function Calendar() {
  const { t, i18n } = useTranslation();
  const may = useMay();
  const [month, setMonth] = useState(() => monthOf(dayOf(new Date())));
  const [day, setDay] = useState<string | null>(null);
  const span = spanOf(month);
  const found = useQuery({
    // As a list of schedules: a change of one has it loaded anew.
    queryKey: ['list', 'schedules', 'times', month],
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) => get<Times>('/schedules/runs', { from: span.from.toISOString(), until: span.until.toISOString() }, signal),
  });
  const times = found.data?.items ?? [];
  const byDay = new Map<string, ScheduledTime[]>();
  for (const time of times) byDay.set(dayOf(new Date(time.at)), [...(byDay.get(dayOf(new Date(time.at))) ?? []), time]);
  const shown = day === null ? times : (byDay.get(day) ?? []);
  const isWhole = found.data === undefined || new Date(found.data.until) >= span.until;
  const inWords = (date: string, how: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(i18n.language, how).format(new Date(`${date}T12:00:00`));
  if (!may('hosts')) return <NotFound />;
  return (
    <>
      <PageHead title={t('nav.calendar')} actions={may('hosts', 'add') && <LinkButton to="/schedules/new" leftSection={<IconPlus size={18} aria-hidden />}>{t('kinds.schedule.add')}</LinkButton>} />
      <Grid>
        <Grid.Col span={{ base: 12, sm: 'content' }}>
          <Paper withBorder p="md" className="card">
            <DatesProvider settings={{ locale: i18n.language, firstDayOfWeek: 1 }}>
              <Month
                date={month} onDateChange={(to) => { setMonth(monthOf(String(to))); setDay(null); }}
                hideOutsideDates
                weekendDays={[]}
                ariaLabels={{ nextMonth: t('calendar.next'), previousMonth: t('calendar.previous') }}
                renderDay={(date) => {
                  const here = byDay.get(String(date)) ?? [];
                  const isTrouble = here.some(({ run }) => (run?.given_up ?? 0) > 0);
                  return <Indicator disabled={here.length === 0} size={8} color={isTrouble ? 'red' : 'frame'} offset={-4}><Box component="span">{Number(String(date).slice(8, 10))}</Box></Indicator>;
                }}
                getDayProps={(date) => ({
                  selected: String(date) === day,
                  onClick: () => setDay(String(date) === day ? null : String(date)),
                  'aria-label': t('calendar.day', { day: inWords(String(date), { dateStyle: 'long' }), count: byDay.get(String(date))?.length ?? 0 }),
                })}
              />
            </DatesProvider>
          </Paper>
        </Grid.Col>
        <Grid.Col span={{ base: 12, sm: 'auto' }}>
          <Paper withBorder p="md" className="card">
            <Group justify="space-between" mb="sm">
              <Title order={2} size="h4">{day === null ? inWords(month, { month: 'long', year: 'numeric' }) : inWords(day, { weekday: 'long', day: 'numeric', month: 'long' })}</Title>
              {found.isSuccess && <Text size="sm" c="dimmed" role="status">{t('calendar.count', { count: shown.length })}</Text>}
            </Group>
            {found.isError && <Failure error={found.error} retry={() => void found.refetch()} />}
            {found.isSuccess && shown.length === 0 && <EmptyState size="sm" icon={<IconCalendarOff />} title={t('calendar.nothing')} description={t('kinds.schedule.about')} />}
            <Stack gap="sm" component="ol" m={0} p={0} style={{ listStyle: 'none' }} data-testid="times">
              {shown.slice(0, LISTED).map((time) => <Time key={`${time.schedule} ${time.at}`} time={time} />)}
            </Stack>
            {shown.length > LISTED && <Text size="sm" c="dimmed" mt="sm">{t('calendar.more', { count: shown.length - LISTED })}</Text>}
            {!isWhole && found.data && <Text size="sm" c="dimmed" mt="sm">{t('calendar.until', { day: inWords(dayOf(new Date(found.data.until)), { dateStyle: 'long' }) })}</Text>}
          </Paper>
        </Grid.Col>
      </Grid>
    </>
  );
}

function Time({ time: { schedule, name, at, action, hosts, state, run } }: { time: ScheduledTime }) {
  const { t, i18n } = useTranslation();
  const words = new Intl.DateTimeFormat(i18n.language, { weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });
  return (
    <li>
      <Group gap="xs">
        <Text size="sm" fw={600} c={state === 'over' ? 'dimmed' : 'bright'}><time dateTime={at}>{words.format(new Date(at))}</time></Text>
        {state === 'going_on' && <Badge variant="light" color="blue" tt="none">{t('schedule.going_on')}</Badge>}
        {run != null && <Outcome run={run} to={`/schedules/${schedule}`} />}
      </Group>
      <Text size="sm" component="div">
        <Link to={`/schedules/${schedule}`} inherit underline="always">{name}</Link>: <Value field={FORMS.schedule?.fields.action} value={action} />
        {state !== 'over' && <Text component="span" size="sm" c="dimmed"> · {t('calendar.hosts', { count: hosts })}</Text>}
      </Text>
    </li>
  );
}

function Outcome({ run, to }: { run: NonNullable<ScheduledTime['run']>; to: string }) {
  const { t } = useTranslation();
  const { done, given_up: givenUp, withdrawn } = run;
  return (
    <>
      {done > 0 && <Badge variant="light" color="green" tt="none">{t('calendar.done', { count: done })}</Badge>}
      {withdrawn > 0 && <Badge variant="light" color="gray" tt="none">{t('calendar.withdrawn', { count: withdrawn })}</Badge>}
      {givenUp > 0 && <Badge variant="light" color="red" tt="none">{t('calendar.given_up', { count: givenUp })}</Badge>}
      {run.problems.length > 0 && <Link to={to} search={{ tab: 'runs' }} size="xs" underline="always">{t('calendar.problems')}</Link>}
    </>
  );
}
