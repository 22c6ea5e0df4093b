// What the page does beyond showing: search, and a recipe in focus. The drawing and the tables are
// complete without it.
'use strict'
{
  const at = (id) => document.getElementById(id)
  const recipes = JSON.parse(at('data').textContent)
  const usersOf = recipes.map(() => [])
  recipes.forEach(({ uses }, number) => uses.forEach((used) => usersOf[used].push(number)))
  const usesOf = recipes.map(({ uses }) => uses)
  const find = at('find')

  /** All that is reached from a recipe, without itself. */
  const reach = (next, start) => {
    const found = new Set()
    const pending = [...next[start]]
    for (let one = pending.pop(); one !== undefined; one = pending.pop()) {
      if (found.has(one)) continue
      found.add(one)
      pending.push(...next[one])
    }
    return found
  }

  const element = (tag, text, attributes = {}) => {
    const made = document.createElement(tag)
    made.textContent = text
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value)
    return made
  }

  const named = (number, tag, attributes = {}) => {
    const { id, tone } = recipes[number]
    const made = element(tag, '', { 'data-recipe': number, ...attributes })
    const slash = id.indexOf('/') + 1
    const layer = element('span', id.slice(0, slash), { class: 'layer' })
    made.append(element('i', '', { class: `dot t-${tone}` }), layer, id.slice(slash))
    return made
  }

  // The recipe in focus.

  const list = (id, numbers) => {
    const items = numbers.map((number) => {
      const item = document.createElement('li')
      item.append(named(number, 'button', { type: 'button', class: 'name' }))
      return item
    })
    at(id).replaceChildren(...items)
    at(`${id}-count`).textContent = numbers.length
  }

  const markGraph = (number, uses, users) => {
    const graph = at('graph')
    graph.classList.toggle('focused', number !== undefined)
    const sides = [
      ['uses', uses, usesOf[number]],
      ['users', users, usersOf[number]],
    ]
    for (const node of graph.querySelectorAll('.node')) {
      const own = Number(node.dataset.recipe)
      node.classList.toggle('self', own === number)
      for (const [side, all, direct] of sides) {
        node.classList.toggle(side, all.has(own))
        node.classList.toggle(`direct-${side}`, direct?.includes(own) === true)
      }
    }
    for (const edge of graph.querySelectorAll('.edge')) {
      const [from, to] = [Number(edge.dataset.from), Number(edge.dataset.to)]
      edge.classList.toggle('uses', uses.has(from) && (to === number || uses.has(to)))
      edge.classList.toggle('users', users.has(to) && (from === number || users.has(from)))
    }
  }

  const focus = (number) => {
    if (find === null) return
    const uses = number === undefined ? new Set() : reach(usesOf, number)
    const users = number === undefined ? new Set() : reach(usersOf, number)
    markGraph(number, uses, users)
    at('focus').hidden = number === undefined
    if (number === undefined) {
      at('said').textContent = 'All recipes are shown.'
      return
    }
    const { id, version, summary } = recipes[number]
    list('uses', usesOf[number])
    list('users', usersOf[number])
    at('focus-layer').textContent = id.slice(0, id.indexOf('/'))
    at('focus-name').textContent = `${id.slice(id.indexOf('/') + 1)} ${version}`
    at('focus-summary').textContent = summary
    const counts = `In all it uses ${uses.size} and is used by ${users.size}.`
    at('focus-reach').textContent = counts
    at('said').textContent =
      `${id}: uses ${usesOf[number].length}, used by ${usersOf[number].length}. ${counts}`
  }

  // Any name of a recipe, in tables, drawing or lists.
  document.addEventListener('click', (event) => {
    const target = event.target.closest('[data-recipe]')
    if (target === null) return
    const isListed = target.closest('#focus') !== null
    focus(Number(target.dataset.recipe))
    // What was clicked on is gone from the list.
    if (isListed) at('unfocus').focus()
  })

  // Search: a combobox with a list, by the pattern of the ARIA practices.

  if (find !== null) {
    const found = at('found')
    let chosen = -1

    const show = (numbers) => {
      const options = numbers.map((number, index) =>
        named(number, 'li', { role: 'option', id: `option-${index}`, 'aria-selected': 'false' }),
      )
      found.replaceChildren(...options)
      found.hidden = numbers.length === 0
      find.setAttribute('aria-expanded', String(numbers.length > 0))
      choose(-1)
    }

    const choose = (index) => {
      chosen = index
      find.removeAttribute('aria-activedescendant')
      for (const [place, option] of [...found.children].entries()) {
        option.setAttribute('aria-selected', String(place === index))
        if (place !== index) continue
        find.setAttribute('aria-activedescendant', option.id)
        option.scrollIntoView({ block: 'nearest' })
      }
    }

    /** Numbers of recipes with all the words; those whose name begins with them first. */
    const search = (text) => {
      const words = text.toLowerCase().split(/\s+/).filter(Boolean)
      if (words.length === 0) return []
      const rank = ({ id }) => {
        const name = id.slice(id.indexOf('/') + 1).toLowerCase()
        return name === words[0] ? 0 : name.startsWith(words[0]) ? 1 : 2
      }
      return recipes
        .map((recipe, number) => ({ recipe, number, rank: rank(recipe) }))
        .filter(({ recipe: { id, summary } }) =>
          words.every((word) => `${id} ${summary}`.toLowerCase().includes(word)),
        )
        .sort((a, b) => a.rank - b.rank || a.number - b.number)
        .slice(0, 12)
        .map(({ number }) => number)
    }

    const take = (option) => {
      if (option === undefined) return
      find.value = recipes[Number(option.dataset.recipe)].id
      focus(Number(option.dataset.recipe))
      show([])
    }

    find.addEventListener('input', () => show(search(find.value)))
    find.addEventListener('keydown', (event) => {
      const { length } = found.children
      if (event.key === 'ArrowDown' && length > 0) choose((chosen + 1) % length)
      else if (event.key === 'ArrowUp' && length > 0) choose(((chosen + length) % (length + 1)) - 1)
      else if (event.key === 'Enter') take(found.children[Math.max(chosen, 0)])
      else if (event.key === 'Escape' && length > 0) show([])
      else if (event.key === 'Escape') {
        find.value = ''
        focus(undefined)
      } else return
      event.preventDefault()
    })
    find.addEventListener('blur', () => show([]))
    // Before the blur, and with the focus left in the field.
    found.addEventListener('mousedown', (event) => {
      event.preventDefault()
      take(event.target.closest('li') ?? undefined)
    })
    at('unfocus').addEventListener('click', () => {
      find.value = ''
      focus(undefined)
      find.focus()
    })
  }
}
