// The page that a demo member shows to a browser: who answered, how often, and a button that shows members taking turns.
import type { VisitFacts } from './member.ts';

const hues: Readonly<Record<string, number>> = { a: 212, b: 150, c: 28 };

/** All of `facts` but the path is made by us; the path is not shown. */
export function memberPage({ member, visits, session }: VisitFacts): string {
  const times = visits === 1 ? 'the first time' : `${visits} times`;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Member ${member}</title>
<link rel="icon" href="data:,">
<style>
  body { font: 1.1rem/1.6 system-ui, sans-serif; max-width: 34rem; margin: 12vh auto; padding: 0 1.2rem; color: #222 }
  h1 { font-size: 5rem; line-height: 1; margin: 0; color: hsl(${hues[member] ?? 0} 65% 40%) }
  button { font: inherit; padding: .4em 1.1em; border: 1px solid #999; border-radius: .4em; background: #fff; cursor: pointer }
  #turns { display: flex; flex-wrap: wrap; gap: .4rem; min-height: 2.4rem; margin: 1rem 0 }
  #turns b { width: 2.4rem; line-height: 2.4rem; text-align: center; border-radius: 50%; color: #fff }
  code { background: #f2f2f2; padding: .1em .3em } small { color: #666 }
</style>
<h1>${member}</h1>
<p>Member <b>${member}</b> has seen this session ${times}. Reload: another member answers, unless sessions
are sticky.</p>
<p><button id="send">Send 12 requests</button></p>
<div id="turns"></div>
<p><small>Session <code>${session}</code>. Each member counts for itself, in its own memory: what one of them knows, the
others do not, which is what sticky sessions are for.</small></p>
<script>
  const hues = ${JSON.stringify(hues)};
  const turns = document.querySelector('#turns');
  document.querySelector('#send').onclick = async () => {
    turns.replaceChildren();
    for (let i = 0; i < 12; i += 1) {
      const dot = document.createElement('b');
      try {
        const answer = await fetch('/', { headers: { accept: 'application/json' } });
        const { member, visits } = await answer.json();
        dot.textContent = member;
        dot.title = 'visit ' + visits;
        dot.style.background = 'hsl(' + hues[member] + ' 65% 40%)';
      } catch {
        dot.textContent = '!';
        dot.style.background = '#b00';
      }
      turns.append(dot);
    }
  };
</script>
</html>
`;
}
