import { useMediaQuery } from '@mantine/hooks';

/** Whether there is little more than a phone's width. */
export const useIsNarrow = (): boolean => useMediaQuery('(max-width: 48em)') ?? false;
