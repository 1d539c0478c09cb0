/** Where the demo's customers live. */
export const COUNTRIES = ['DE', 'FR', 'ES', 'NL', 'PL', 'IT'] as const;

/** Where they hardly ever are. */
export const FAR = ['BR', 'NG', 'VN', 'US'] as const;
