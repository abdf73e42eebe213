import { Input, PinInput } from '@mantine/core';
import { useTranslation } from 'react-i18next';

export const CODE_DIGITS = 6;

/** The digits of an authenticator; the last of them sends it. */
export function CodeInput({ value, onChange, onComplete, autoFocus = false }: { value: string; onChange: (value: string) => void; onComplete: (value: string) => void; autoFocus?: boolean }) {
  const { t } = useTranslation();
  return (
    <Input.Wrapper label={t('sign_in.code')} description={t('sign_in.code_help')} labelElement="div">
      <PinInput
        length={CODE_DIGITS} type="number" oneTimeCode autoFocus={autoFocus} value={value} onChange={onChange} onComplete={onComplete} aria-label={t('sign_in.code')} mt={6}
        getInputProps={(index) => ({ 'aria-label': t('sign_in.digit', { number: index + 1 }) })}
      />
    </Input.Wrapper>
  );
}
