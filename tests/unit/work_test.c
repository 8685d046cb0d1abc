/* SPDX-License-Identifier: MIT */
/* Long computations of plugins on the thread pool. */
#include "work.h"
#include "host_fixture.h"

struct job {
    struct fixture *f;
    uv_sem_t go; /* the thread waits for it */
    bool waits;
    uv_thread_t main, ran_on;
    int worked, done, dropped;
    bool inside; /* done() ran inside a callback */
    int *order, at;
};

static void work(void *arg)
{
    struct job *job = arg;
    if (job->waits) {
        uv_sem_wait(&job->go);
    }
    job->ran_on = uv_thread_self();
    job->worked++;
}

static void done(void *arg)
{
    struct job *job = arg;
    job->done++;
    job->inside = fixture_bot(job->f, "a")->entered == 1;
    job->at = job->order != NULL ? ++*job->order : 0;
}

static void drop(void *arg)
{
    ((struct job *)arg)->dropped++;
}

static struct job new_job(struct fixture *f)
{
    struct job job = {.f = f, .main = uv_thread_self()};
    assert_int_equal(uv_sem_init(&job.go, 0), 0);
    return job;
}

static int ask(struct job *job, int status)
{
    struct hr_bot *bot = fixture_bot(job->f, "a");
    instance_enter(bot);
    int rc = works_start(job->f->app.works, bot, work, done, drop, job);
    instance_leave(bot, status);
    return rc;
}

static void until_done(struct job *job, int count)
{
    while (job->done < count) {
        uv_run(job->f->app.loop, UV_RUN_ONCE);
    }
}

static void work_runs_on_another_thread_and_done_once_in_a_callback(void **state)
{
    struct fixture *f = *state;
    struct job job = new_job(f);
    assert_int_equal(ask(&job, HR_OK), HR_OK);
    assert_int_equal(job.worked, 0); /* not before the commit */
    until_done(&job, 1);
    assert_int_equal(job.worked, 1);
    assert_false(uv_thread_equal(&job.ran_on, &job.main));
    assert_true(job.inside);
    assert_int_equal(job.dropped, 0);
}

static void a_callback_that_is_undone_drops_its_work(void **state)
{
    struct fixture *f = *state;
    struct job job = new_job(f);
    assert_int_equal(ask(&job, HR_EFAIL), HR_OK);
    assert_int_equal(job.dropped, 1);
    fixture_turn(f);
    assert_int_equal(fixture_bot(f, "a")->work_count, 0);
    assert_int_equal(job.worked + job.done, 0);
}

static void the_64th_is_taken_and_the_65th_refused(void **state)
{
    struct fixture *f = *state;
    struct job job = new_job(f);
    for (int i = 0; i < WORK_MAX; i++) {
        assert_int_equal(ask(&job, HR_OK), HR_OK);
    }
    assert_int_equal(ask(&job, HR_OK), HR_ELIMIT);
    assert_int_equal(works_start(f->app.works, fixture_bot(f, "a"), NULL, done, drop, &job), HR_EINVAL);
    assert_int_equal(works_start(f->app.works, fixture_bot(f, "a"), work, NULL, drop, &job), HR_EINVAL);
    struct hr_bot *other = fixture_bot(f, "b");
    instance_enter(other);
    assert_int_equal(works_start(f->app.works, other, work, done, drop, &job), HR_OK); /* it has its own 64 */
    instance_leave(other, HR_OK);
    until_done(&job, WORK_MAX + 1);
    assert_int_equal(ask(&job, HR_OK), HR_OK);
    until_done(&job, WORK_MAX + 2);
    assert_int_equal(job.dropped, 0);
}

static void a_stop_waits_for_what_runs_and_drops_everything(void **state)
{
    struct fixture *f = *state;
    struct job held[2] = {new_job(f), new_job(f)}, waiting = new_job(f), fresh = new_job(f);
    held[0].waits = held[1].waits = true;
    assert_int_equal(ask(&held[0], HR_OK) + ask(&held[1], HR_OK) + ask(&waiting, HR_OK), HR_OK);
    turn_finish(f->app.turn);                    /* two run or are about to, one waits for a thread */
    assert_int_equal(ask(&fresh, HR_OK), HR_OK); /* not committed yet */
    uv_sem_post(&held[0].go);
    uv_sem_post(&held[1].go);
    works_sweep(fixture_bot(f, "a"));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(held[i].dropped, 1);
        int worked = held[i].worked;
        assert_in_range(worked, 0, 1);
    }
    assert_int_equal(waiting.dropped + fresh.dropped, 2);
    assert_int_equal(waiting.worked + fresh.worked, 0);
    fixture_turn(f);
    fixture_restart(f, true); /* the loop ends: nothing calls back any more */
    assert_int_equal(held[0].done + held[1].done + waiting.done + fresh.done, 0);
}

static void work_that_waits_is_taken_in_the_order_it_came(void **state)
{
    struct fixture *f = *state;
    int order = 0;
    struct job gate[2] = {new_job(f), new_job(f)}, last[3];
    gate[0].waits = gate[1].waits = true;
    assert_int_equal(ask(&gate[0], HR_OK) + ask(&gate[1], HR_OK), HR_OK);
    for (int i = 0; i < 3; i++) {
        last[i] = new_job(f);
        last[i].order = &order;
        assert_int_equal(ask(&last[i], HR_OK), HR_OK);
    }
    turn_finish(f->app.turn);
    uv_sem_post(&gate[0].go); /* one thread goes on, the other stays: the rest comes one by one */
    until_done(&last[2], 1);
    assert_int_equal(last[0].at * 100 + last[1].at * 10 + last[2].at, 123);
    uv_sem_post(&gate[1].go);
    until_done(&gate[1], 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(work_runs_on_another_thread_and_done_once_in_a_callback),
        T(a_callback_that_is_undone_drops_its_work),
        T(the_64th_is_taken_and_the_65th_refused),
        T(a_stop_waits_for_what_runs_and_drops_everything),
        T(work_that_waits_is_taken_in_the_order_it_came),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
