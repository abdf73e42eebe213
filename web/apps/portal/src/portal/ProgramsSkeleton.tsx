import { SimpleGrid, Skeleton } from '@mantine/core';
import { useTranslation } from 'react-i18next';

export function ProgramsSkeleton() {
  const { t } = useTranslation();
  return (
    <SimpleGrid cols={{ base: 2, xs: 3, sm: 4, md: 5 }} role="status" aria-label={t('loading')}>
      {Array.from({ length: 10 }, (_, index) => (
        <Skeleton key={index} height={132} radius="lg" />
      ))}
    </SimpleGrid>
  );
}
