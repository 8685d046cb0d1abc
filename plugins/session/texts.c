/* SPDX-License-Identifier: MIT */
/* The words of the session plugin. A change here is a design decision: tests hold them to the rules for plain,
 * accessible output. */
#include "session.h"

const struct hr_text session_texts[] = {
    /* before */
    {"T02", "Reminder: the {tag} chat is {day}, {times}.{topic}{questions}",
     "tag=#DPULO;day=tomorrow, Tuesday 29 November;times=8pm to 9pm UK time;topic= Topic: Access to Work.;"
     "questions= To see the questions, type !questions"},
    {"T03", "Reminder: the {tag} chat starts in {lead}, at {time}.{topic}{questions}",
     "tag=#DPULO;lead=1 hour;time=8pm UK time;topic= Topic: Access to Work.;questions= To see the questions, type "
     "!questions"},
    {"T04", "The {tag} chat starts in {lead}. You can take part, or just read. Both are welcome.",
     "tag=#DPULO;lead=10 minutes"},
    {"T17", "The clocks change this weekend. The chat is still at {time}.", "time=8pm UK time"},
    {"topic_part", " Topic: {topic}", "topic=Access to Work."},
    {"questions_part", " To see the questions, type !questions", ""},

    /* start */
    {"T05", "Welcome to the {tag} chat.{topic}{host}{questions}\nFor help, type !help",
     "tag=#DPULO;topic= The topic is Access to Work.;host= Your host is Asha.;"
     "questions=\nThere are 4 questions, with about 12 minutes for each one. You can answer late."},
    {"T05_topic", " The topic is {topic}", "topic=Access to Work."},
    {"T05_host", " Your host is {host}.", "host=Asha"},
    {"T05_questions", "\nThere are {count}, with about {minutes} for each one. You can answer late.",
     "count=4 questions;minutes=12 minutes"},
    {"T05_question", "\nThere is 1 question, with about {minutes}. You can answer late.", "minutes=12 minutes"},
    {"T06",
     "Please say hello if you would like to. You can tell us your name and your organisation. You do not have to.", ""},
    {"T35", "The host has not arrived. I will post the questions on time. Any host can type !start to take over.", ""},

    /* questions */
    {"T07", "Question {n} of {of}: {text}\nTo answer, start your message with A{n}.",
     "n=2;of=4;text=What has helped you get Access to Work agreed faster?"},
    {"T07_post", "Q{n}: {text} {tag}", "n=2;text=What has helped you get Access to Work agreed faster?;tag=#DPULO"},
    {"T08", "We are on question {n} of {of}: {text} To answer, start with A{n}.",
     "n=2;of=4;text=What has helped you get Access to Work agreed faster?"},
    {"T09", "Question {next} comes in {lead}. You can still answer question {n} later.", "next=3;lead=2 minutes;n=2"},
    {"T10", "We have {more} more {unit} on question {n}.", "more=5;unit=minutes;n=2"},
    {"T10_welcome", "We have {more} more {unit} before the first question.", "more=5;unit=minutes"},
    {"T10_closing", "We have {more} more {unit}. The chat ends at {time}.", "more=5;unit=minutes;time=9:05pm UK time"},
    {"T11", "The chat is paused for {span}. You can keep typing. No new question will come.", "span=5 minutes"},
    {"T12", "The chat has started again.{where}", "where= We are on question 2 of 4."},
    {"where", "We are on question {n} of {of}.", "n=2;of=4"},
    {"where_welcome", "The first question comes soon.", ""},
    {"where_open", "There are no set questions.", ""},
    {"T13", "This is the last question. The chat ends in {span}.", "span=12 minutes"},
    {"T13_open", "The chat ends in {span}.", "span=2 minutes"},
    {"T34", "I was away for {span}. {where}{services}",
     "span=3 minutes;where=We are on question 2 of 4.;"
     "services= I have read what was typed on Matrix. Lines typed on IRC in that time may be missing."},
    {"T34_matrix", " I have read what was typed on Matrix.", ""},
    {"T34_irc", " Lines typed on IRC in that time may be missing.", ""},

    /* end */
    {"T14", "The {tag} chat has ended. Thank you.{late}{links}{next}",
     "tag=#DPULO;late= You can still answer any question until Tuesday 6 December.;"
     "links=\nPeople shared 9 links. To see them, type !links;next=\nThe next chat is Tuesday 6 December at 8pm UK "
     "time."},
    {"T14_late", " You can still answer any question until {day}.", "day=Tuesday 6 December"},
    {"T14_links", "\nPeople shared {count}. To see {them}, type !links", "count=9 links;them=them"},

    /* answers to everybody */
    {"T22", "The {tag} chat is on question {n} of {of}: {text}\n{left} To answer, start your message with A{n}.",
     "tag=#DPULO;n=2;of=4;text=What has helped you get Access to Work agreed faster?;left=There are about 7 minutes "
     "left."},
    {"T22_left", "There are about {span} left.", "span=7 minutes"},
    {"T22_left_one", "There is about 1 minute left.", ""},
    {"T22_paused", "The chat is paused.", ""},
    {"T22_ends", "The chat ends in about {span}.", "span=5 minutes"},
    {"T22_manual", "The host says when the next question comes.", ""},
    {"now_welcome", "The {tag} chat has started. {left}",
     "tag=#DPULO;left=The first question comes in about 3 minutes."},
    {"now_first", "The first question comes in about {span}.", "span=3 minutes"},
    {"no_chat", "There is no chat now. {next}", "next=The next chat is Tuesday 6 December at 8pm UK time."},
    {"not_begun", "The chat was planned for {time}. It has not started yet. A host starts it with !start",
     "time=8pm UK time"},
    {"next_chat", "The next chat is {day} at {time}.", "day=Tuesday 6 December;time=8pm UK time"},
    {"next_none", "No next chat is planned.", ""},
    {"when", "The next {tag} chat is {day}, {times}.{topic}{questions}",
     "tag=#DPULO;day=Tuesday 29 November;times=8pm to 9pm UK time;topic= Topic: Access to Work.;"
     "questions= To see the questions, type !questions"},
    {"when_live", "The {tag} chat is on now. It ends at {time}.", "tag=#DPULO;time=9pm UK time"},
    {"questions_none", "No questions are planned yet.", ""},
    {"questions_head", "The questions for {what}:", "what=Tuesday 29 November"},
    {"questions_now", "this chat", ""},
    {"questions_line", "\nQuestion {n}: {text}{note}", "n=2;text=What has helped you?;note= (Left out.)"},
    {"questions_skipped", " (Left out.)", ""},
    {"topic_show", "The topic is {topic}", "topic=Access to Work."},
    {"topic_none", "No topic is set yet.", ""},

    /* answers to hosts */
    {"T21", "Only hosts can use {command}.{hosts}", "command=!end;hosts= The host is Asha."},
    {"T21_hosts", " The host is {hosts}.", "hosts=Asha"},
    {"topic_set", "Saved. The topic is {topic}", "topic=Access to Work."},
    {"topic_long",
     "This topic is too long. Please use at most {max} characters. Then type !topic and the shorter words.", "max=80"},
    {"q_saved", "Saved as question {n}.{hint}",
     "n=3;hint= It works best with one question mark. To change it, type !q 3 and the "
     "new text."},
    {"q_no_mark", " It works best with one question mark. To change it, type !q {n} and the new text.", "n=3"},
    {"q_many_marks", " It asks {count} things. One is easier to answer. To change it, type !q {n} and the new text.",
     "count=2;n=3"},
    {"q_long", "This question has {count} characters. The most is {max}. Please make it shorter and send it again.",
     "count=240;max=200"},
    {"q_full", "There are {max} questions already. To remove one, type !q drop and its number.", "max=12"},
    {"q_dropped", "Question {n} is removed. {count} left.", "n=2;count=3 questions are"},
    {"q_moved", "Question {from} is now question {to}.", "from=3;to=1"},
    {"q_unknown", "There is no question {n}. To see the questions, type !q", "n=7"},
    {"q_asked", "Question {n} was asked already, so it stays. To add another, type !q add and the text.", "n=1"},
    {"q_how",
     "I did not understand that. To add a question, type !q add and the text.\n"
     "To change question 2, type !q 2 and the new text. To remove it, type !q drop 2",
     ""},
    {"q_how_move", "To move question 3 to the first place, type !q move 3 1", ""},
    {"start_early", "The chat starts {day} at {time}. To start it now, type !start now",
     "day=Tuesday 6 December;time=8pm UK time"},
    {"start_taken", "You lead the chat now. The questions still come on time. To go on sooner, type !next", ""},
    {"start_taken_manual", "The chat has started already. For the next question, type !next", ""},
    {"next_no_more", "There are no more questions. The chat ends at {time}. To end it now, type !end",
     "time=9pm UK time"},
    {"again_none", "No question is open yet. To open the first one, type !next", ""},
    {"extend_how", "To add time, type !extend and the minutes, from 1 to 30. For example: !extend 5", ""},
    {"extend_full", "The chat has been made longer {count} times. That is the most. To stop the clock, type !pause 5",
     "count=20"},
    {"pause_how", "To pause, type !pause and the minutes, from 1 to 60. For example: !pause 5", ""},
    {"not_paused", "The chat is not paused. To pause it, type !pause 5", ""},
    {"skipped", "Question {n} is left out.{next}", "n=3;next= Question 4 comes next."},
    {"skipped_next", " Question {n} comes next.", "n=4"},
    {"skipped_last", " No question comes after it.", ""},
    {"skip_none", "No question is left to skip. To end the chat, type !end", ""},
    {0},
};
