/**
 * The library: the contract between docker-register and docker-discover, for services that discover by themselves. This is
 * the whole public interface; docs/library.md explains it.
 */
export { decode, encode } from './codec.js';
export { watchCatalog } from './watch-catalog.js';
export type {
  Attributes,
  Catalog,
  Decoded,
  Endpoint,
  Entry,
  Logger,
  PrefixOption,
  Problem,
  Registration,
  RegistrationInput,
  Service,
  WatchOptions,
} from './types.js';
