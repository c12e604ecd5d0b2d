// Property tests draw the same cases in every run, so that a change is judged by what it changes; PROPERTY_SEED draws others.
import fc from 'fast-check';

const seed = Number(process.env.PROPERTY_SEED ?? 1);
if (!Number.isInteger(seed)) throw new Error(`PROPERTY_SEED is ${process.env.PROPERTY_SEED}, which is no whole number`);
fc.configureGlobal({ seed });
