// SPDX-License-Identifier: MIT
// generator<T>: a function that gives its values one by one, with co_yield, when they are asked for. It is an
// input range. It cannot co_await, and works outside run() as well. To wait between values use
// async_generator.
//
//   leat::generator<int> count(int end) {          for (int i : count(3)) { ... }
//       for (int i = 0; i < end; ++i) {            auto numbers = count(3);
//           co_yield i;                            while (auto number = numbers.next()) { use(*number); }
//       }
//   }
//
// T may be a reference: `generator<const line&>` gives lines without copying one.
//
// generator<T, Sent> also takes values: each co_yield gives what the consumer sends next.
//
//   leat::generator<double, double> average() {    auto mean = average();
//       double sum = co_yield 0.0;                 mean.next();   // runs to the first co_yield
//       for (int n = 1;; ++n) {                    mean.send(3);  // 3
//           sum += co_yield sum / n;               mean.send(5);  // 4
//       }
//   }
//
// Theory of operation. `co_yield elements_of(other)` makes a chain of generators, of which only the innermost
// runs. The root knows it and resumes it; a generator that begins or ends another one tells the root and
// suspends. So the stack does not grow with the depth, and an item costs the same at any depth.
// Invariant: a generator object owns its frame and those of the chain below it.
#pragma once

#include <leat/check.hpp>
#include <leat/core/frame.hpp>
#include <leat/core/frame_pool.hpp>

#include <coroutine>
#include <cstddef>
#include <exception>
#include <iterator>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace leat {

template <typename T, typename Sent = void>
class generator;

// co_yield elements_of(other): all that is left of `other`, a generator of the same kind, which is consumed.
template <typename T, typename Sent>
struct elements_of {
    explicit elements_of(generator<T, Sent> other) noexcept : from(std::move(other)) {}
    generator<T, Sent> from;
};

namespace detail {

// What a generator of T hands out: for a value T it may be moved from.
template <typename T>
using yielded = std::conditional_t<std::is_reference_v<T>, T, T&&>;

// What next() gives: the value, or where the reference leads; empty at the end.
template <typename T>
using next_item =
    std::conditional_t<std::is_reference_v<T>, std::add_pointer_t<T>, std::optional<std::remove_cv_t<T>>>;

template <typename T, typename Sent>
struct generator_promise {
    using pointer = std::add_pointer_t<yielded<T>>;

    struct yield_awaiter : std::suspend_always {
        explicit yield_awaiter(generator_promise& yielding) noexcept : from(yielding) {}
        generator_promise& from;
        static bool await_ready() noexcept { return detail::never_ready(); }
        Sent await_resume() const noexcept(std::is_void_v<Sent>) {
            if constexpr (!std::is_void_v<Sent>) {
                return static_cast<Sent&&>(*from.root->sent);
            }
        }
    };
    // A copy of a value that stays the body's own. (Its address is taken when it stands in the frame: small
    // objects are returned in registers.)
    struct copy_awaiter : yield_awaiter {
        copy_awaiter(generator_promise& from, const T& original) : yield_awaiter{from}, copy(original) {}
        void await_suspend(std::coroutine_handle<> /*yielding*/) noexcept {
            this->from.root->value = std::addressof(copy);
        }
        std::remove_cv_t<T> copy;
    };
    struct nested_awaiter {
        generator<T, Sent> inner;
        generator_promise* running = nullptr;  // owned by the chain, see ~generator
        [[nodiscard]] bool await_ready() const noexcept {
            check(inner.promise_ != nullptr, "the elements are those of a generator");
            return inner.promise_->leaf == nullptr;
        }
        template <typename Promise>
        void await_suspend(std::coroutine_handle<Promise> outer) noexcept {
            running = std::exchange(inner.promise_, nullptr);
            outer.promise().begin(*running);
        }
        void await_resume() const {
            if (running != nullptr) {
                const std::exception_ptr failed = std::move(running->error);
                running->handle.destroy();
                if (failed != nullptr) {
                    std::rethrow_exception(failed);
                }
            }
        }
    };
    struct final_awaiter {
        static bool await_ready() noexcept { return detail::never_ready(); }
        template <typename Promise>
        static void await_suspend(std::coroutine_handle<Promise> ended) noexcept {
            generator_promise& self = ended.promise();
            self.root->leaf = self.parent;
        }
        static void await_resume() noexcept {}
    };

    static std::suspend_always initial_suspend() noexcept { return {}; }
    static final_awaiter final_suspend() noexcept { return {}; }
    static void return_void() noexcept {}
    void unhandled_exception() noexcept {
        check(root->running, "a destructor does not throw while its generator is destroyed");
        error = std::current_exception();
    }

    yield_awaiter yield_value(yielded<T> item) noexcept {
        root->value = std::addressof(item);
        return yield_awaiter(*this);
    }
    copy_awaiter yield_value(const T& item)
        requires(!std::is_reference_v<T> && std::is_copy_constructible_v<T>)
    {
        return {*this, item};
    }
    nested_awaiter yield_value(elements_of<T, Sent> all) noexcept { return {std::move(all.from)}; }

    template <typename X>
    void await_transform(X&&) = delete;  // a generator does not wait: an async_generator does

    static void* operator new(std::size_t size) { return frame_pool::allocate(size); }
    static void operator delete(void* block, std::size_t size) noexcept { frame_pool::release(block, size); }

    // Runs, as the root, to the next item or the end.
    void advance() {
        check(!running, "a generator is not asked for an item by its own body");
        running = true;
        value = nullptr;
        while (value == nullptr && leaf != nullptr) {
            leaf->handle.resume();
        }
        running = false;
        if (error != nullptr) [[unlikely]] {
            std::rethrow_exception(std::exchange(error, nullptr));
        }
    }

    // `inner`, which may have begun and be a chain itself, continues this one, the leaf.
    void begin(generator_promise& inner) noexcept {
        root->leaf = inner.leaf;
        for (generator_promise* each = inner.leaf; each != &inner; each = each->parent) {
            each->root = root;
        }
        inner.root = root;
        inner.parent = this;
    }

    std::coroutine_handle<> handle;
    generator_promise* root = this;
    generator_promise* parent = nullptr;  // whose co_yield elements_of began this one
    std::exception_ptr error;
    // The rest is the root's.
    generator_promise* leaf = this;  // the innermost; null at the end
    pointer value = nullptr;         // the item, in the frame that yielded it
    std::add_pointer_t<Sent> sent = nullptr;
    bool running = false;
    bool asked = false;  // an item was asked for
};

}  // namespace detail

// Move-only. Nothing runs before the first item is asked for. Destroyed before its end it destroys its frame
// at the co_yield, with locals in reverse order. An exception of the body is thrown by the call that asked
// for the item, and ends the generator. Items are references into the frame: they last until the next one is
// asked for.
template <typename T, typename Sent>
class [[nodiscard]] generator {
public:
    class iterator;
    using value_type = std::remove_cvref_t<T>;
    using reference = detail::yielded<T>;

    struct promise_type : detail::generator_promise<T, Sent> {
        generator get_return_object() noexcept {
            this->handle = std::coroutine_handle<promise_type>::from_promise(*this);
            return generator(*this);
        }
    };

    generator() noexcept = default;
    generator(generator&& other) noexcept : promise_(std::exchange(other.promise_, nullptr)) {}
    generator& operator=(generator&& other) noexcept {
        if (this != &other) {
            reset();
            promise_ = std::exchange(other.promise_, nullptr);
        }
        return *this;
    }
    ~generator() { reset(); }

    // The range of the items that are left: after a break, another loop goes on with the next item.
    [[nodiscard]] iterator begin()
        requires std::is_void_v<Sent>
    {
        promise().advance();
        return iterator(*promise_);
    }
    [[nodiscard]] static std::default_sentinel_t end() noexcept { return {}; }

    // The next item as a std::optional, or for a reference as a pointer; empty at the end, and ever after.
    // With Sent: runs to the first co_yield.
    detail::next_item<T> next() {
        check(std::is_void_v<Sent> || !promise().asked || promise().leaf == nullptr,
              "a co_yield that asks is answered by send()");
        promise().asked = true;
        promise().advance();
        return item();
    }

    // Answers the co_yield that the body stands at, and runs to the next one, whose item it gives.
    template <typename Answer = Sent>
        requires std::is_convertible_v<Answer, Sent>
    detail::next_item<T> send(Answer&& answer) {
        check(promise().asked, "a generator is begun by next()");
        Sent given = std::forward<Answer>(answer);
        promise_->sent = std::addressof(given);
        promise_->advance();
        return item();
    }

private:
    using base = detail::generator_promise<T, Sent>;
    friend base;
    explicit generator(base& promise) noexcept : promise_(&promise) {}

    base& promise() const noexcept {
        check(promise_ != nullptr, "the generator was moved from, or never made");
        return *promise_;
    }
    detail::next_item<T> item() const {
        if constexpr (std::is_reference_v<T>) {
            return promise_->value;
        } else {
            return promise_->value != nullptr ? detail::next_item<T>(std::move(*promise_->value))
                                              : std::nullopt;
        }
    }
    // From the leaf outwards, without recursion.
    void reset() noexcept {
        if (promise_ == nullptr) {
            return;
        }
        check(!promise_->running, "a generator is not destroyed by its own body");
        base* at = promise_->leaf != nullptr ? promise_->leaf : promise_;
        while (at != nullptr) {
            base* outer = at->parent;
            at->handle.destroy();
            at = outer;
        }
        promise_ = nullptr;
    }

    base* promise_ = nullptr;
};

template <typename T, typename Sent>
class generator<T, Sent>::iterator {
public:
    using iterator_concept = std::input_iterator_tag;
    using value_type = generator::value_type;
    using difference_type = std::ptrdiff_t;

    iterator() noexcept = default;
    reference operator*() const noexcept { return static_cast<reference>(*of_->value); }
    iterator& operator++() {
        of_->advance();
        return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const iterator& at, std::default_sentinel_t /*end*/) noexcept {
        return at.of_->value == nullptr;
    }

private:
    friend generator;
    explicit iterator(base& of) noexcept : of_(&of) {}
    base* of_ = nullptr;
};

}  // namespace leat
