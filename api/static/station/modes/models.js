/** Models of the catalogue by the names that acts take. */

/**
 * Names that mean one model each: with its maker, where several use the name.
 * @param {{maker: string, name: string, tracked_by: string}[]} models
 * @returns {string[]}
 */
export function namesOf(models) {
  const users = new Map();
  for (const { name } of models) users.set(name, (users.get(name) || 0) + 1);
  return models.map(({ maker, name }) => (users.get(name) > 1 ? `${maker} ${name}` : name));
}
