/** Codes of results that differ. */
export const NOT_REPRODUCIBLE = {
  'builds-differ':
    'The second of two builds gave other bytes. A step uses something that is not an input, ' +
    'such as the time or the order of files.',
  'receipts-contradict':
    'Receipts, or a receipt and the record of the image, name two artifacts for one action, or ' +
    'the record leaves out what an action took.',
  'rebuild-differs': 'The image was built again, and differs from the one that is installed.',
  'signers-differ':
    'Two signers say that an action gave different results. A step uses something that is not ' +
    'an input, or one of their machines or keys is in wrong hands.',
  'two-results':
    'An action ran again and gave another result than the store has recorded for it, or than a ' +
    'signer of a cache says. A step uses something that is not an input.',
} as const
