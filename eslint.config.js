import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';

/** Imports point one way: src -> config, operators; operators -> operators/steps -> operators/types. */
const forbid = (files, patterns, message) => ({
  files,
  rules: { 'no-restricted-imports': ['error', { patterns: [{ regex: patterns, message }] }] },
});

export default tseslint.config(
  { ignores: ['dist', 'node_modules', 'data', 'coverage'] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  { languageOptions: { parserOptions: { projectService: true } } },
  {
    rules: {
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true, allowNullish: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-console': 'error',
    },
  },
  forbid(
    ['operators/*.ts'],
    '^(\\.\\./|node:|@duckdb|mqtt|node-opcua|fastify|convict)',
    'operators know no protocol, database, configuration or clock; they import only rxjs and operators/',
  ),
  forbid(
    ['operators/steps/*.ts'],
    '^(rxjs|node:|\\.\\./(?!types\\.ts|options\\.ts)|\\.\\./\\.\\./|@duckdb|mqtt|node-opcua|fastify|convict)',
    'a step is plain arithmetic: it imports only other steps, operators/types.ts, operators/options.ts and ml-matrix',
  ),
  forbid(
    ['operators/types.ts', 'operators/options.ts'],
    '.',
    'operators/types.ts and options.ts import nothing',
  ),
  forbid(['src/twin/**/*.ts'], '^rxjs', 'twin models are plain code without rxjs'),
  forbid(['config/**/*.ts'], '^\\.\\./src', 'configuration knows nothing of src'),
  forbid(
    ['src/!(main).ts', 'src/**/!(main).ts'],
    '(^|/)main\\.ts$',
    'only the command line entry composes the service',
  ),
  {
    files: ['test/**', 'marble-tests/**', 'bench/**', 'examples/**', 'faults/**'],
    rules: { 'no-console': 'off', '@typescript-eslint/no-non-null-assertion': 'off' },
  },
  {
    files: ['**/*.js'],
    ...tseslint.configs.disableTypeChecked,
    languageOptions: {
      parserOptions: { projectService: false },
      globals: { process: 'readonly', console: 'readonly', URL: 'readonly' },
    },
  },
  prettier,
);
