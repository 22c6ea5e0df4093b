/**
 * Modification time of every file that an action sees or makes, in seconds since 1970: 2000-01-01.
 * Early, so that no clock that a build may meet is behind it.
 */
export const EPOCH = 946_684_800

/**
 * Part of every key. Raise it when the meaning of an action document changes, so that no old
 * artifact is found by a new key.
 */
export const KEY_VERSION = 2
