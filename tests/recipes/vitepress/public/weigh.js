// #region region
export function weigh(hive) {
  return hive.cells.reduce((sum, cell) => sum + cell.grams, 0);
}
// #endregion region
