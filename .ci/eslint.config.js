import { defineConfig, globalIgnores } from 'eslint/config'
import tseslint from 'typescript-eslint'

export default defineConfig(
  globalIgnores([
    ...['dist/', 'out/', 'coverage/', '.ci/', '.dependency-cruiser.cjs'],
    '**/*_pb.ts', // written by protoc-gen-es
  ]),
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      // A number in a text is what it looks like; wrapping each in String() hides the text.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // A class of static members only has no use here, but one that stands for a kind of error
      // has.
      '@typescript-eslint/no-extraneous-class': 'off',
      // `void` as a type argument says "resolves to nothing", in Promise.withResolvers as in
      // Promise.
      '@typescript-eslint/no-invalid-void-type': ['error', { allowInGenericTypeArguments: true }],
      // `() => call()` is how a callback that returns nothing is written.
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      // `const { unwanted, ...rest } = all` is how a member is left out.
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true }],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      eqeqeq: 'error',
      'no-restricted-globals': ['error', { name: 'require', message: 'Use import.' }],
    },
  },
  {
    files: ['src/**', 'qemu/**'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: 'Literal[regex.pattern=/\\\\[pP]\\{/]',
          message: "The image's Node has no tables of Unicode: name the characters.",
        },
        {
          selector: 'MemberExpression[object.name="Intl"]',
          message: "The image's Node has no Intl.",
        },
      ],
    },
  },
  {
    // Runs in browsers, as it is: the compiler does not see it.
    files: ['src/report/page/page.js'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: {
      sourceType: 'script',
      parserOptions: { projectService: false },
      globals: { document: 'readonly' },
    },
    rules: { 'no-undef': 'error', '@typescript-eslint/explicit-module-boundary-types': 'off' },
  },
  {
    files: ['test/**'],
    rules: {
      // Tests take apart what they know to be there, and fail where it is not.
      '@typescript-eslint/no-non-null-assertion': 'off',
      // A test double may have to be asynchronous without anything to wait for.
      '@typescript-eslint/require-await': 'off',
    },
  },
)
