/**
 * A dimension is a number or an integer polynomial over named symbols in canonical text ("batch*seq", "past + seq"), so
 * two dimensions are equal exactly when they are `===`.
 */
export type Dim = number | string;

/** Sizes of symbols, for binding symbolic shapes. */
export type Sizes = Readonly<Record<string, number>>;
